/** Keys longer than 64 bits, or that need a set-up at the peer: FI_MR_RAW of fi_mr(3). */
import { binding } from './binding.js';
import type { Domain } from './domain.js';
import { check } from './errors.js';
import { RemoteRegion } from './remote-region.js';
import { handleOf, resourceHandle, type Resource } from './resource.js';

/** Bytes of the base address, which goes before the provider's own bytes. */
const BASE = 8;

/** What a peer needs to map the key of a region: its base address and fi_mr_raw_attr(3)'s key. */
export function rawKeyOf(region: Resource): Buffer {
  const attributes = binding.memoryRegionRawAttr(handleOf(region));
  const { base, key } = check<{ base: bigint; key: Buffer }>(attributes, 'fi_mr_raw_attr', 'cannot get the raw key');
  const bytes = Buffer.alloc(BASE + key.byteLength);
  bytes.writeBigUInt64LE(base);
  bytes.set(key, BASE);
  return bytes;
}

/**
 * Makes a region with a raw key usable in a domain: fi_mr_map_raw(3). One without is returned as it is.
 *
 * @returns a region that operations of the domain take; {@link unmapRemote} releases it.
 * @throws FabricError when the provider cannot map the key.
 */
export function mapRemote(domain: Domain, remote: RemoteRegion): RemoteRegion {
  const handle = resourceHandle(domain, 'Domain', 'domain');
  if (remote.rawKey === undefined) return remote;
  const raw = Buffer.from(remote.rawKey);
  if (raw.byteLength <= BASE) throw new RangeError(`remote: a raw key of ${raw.byteLength} bytes is too short`);
  const key = binding.domainMapRaw(handle, raw.readBigUInt64LE(), raw.subarray(BASE));
  return new RemoteRegion(
    remote.address,
    check<bigint>(key, 'fi_mr_map_raw', 'cannot map the key of a remote region'),
    remote.length,
  );
}

/** Releases what {@link mapRemote} mapped: fi_mr_unmap_key(3). @throws FabricError when the provider refuses. */
export function unmapRemote(domain: Domain, mapped: RemoteRegion): void {
  const handle = resourceHandle(domain, 'Domain', 'domain');
  check(binding.domainUnmapKey(handle, mapped.key), 'fi_mr_unmap_key', 'cannot unmap the key of a remote region');
}

import { getInfo, RemoteRegion, type Hints, type MemoryRegion } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { overProvidersWith } from './helpers/memory-pair.js';
import {
  acquaint,
  bothWays,
  OtherProcess,
  ThisProcess,
  type Acquainted,
  type Scope,
  type Side,
} from './helpers/other-process.js';
import { openEndpoint } from './helpers/pair.js';
import { dataOver } from './helpers/providers.js';
import { outcomes } from './helpers/within.js';

interface Kept extends Acquainted {
  region: MemoryRegion;
}

const HINTS = { caps: ['FI_MSG', 'FI_TAGGED', 'FI_RMA'] } as const satisfies Hints;
const FLAGS = [
  'FI_MORE',
  'FI_INJECT',
  'FI_INJECT_COMPLETE',
  'FI_TRANSMIT_COMPLETE',
  'FI_DELIVERY_COMPLETE',
  'FI_FENCE',
] as const;
/** When such a write has completed, its bytes are in the peer's memory: else they may still be on their way. */
const DELIVERED = { flags: ['FI_DELIVERY_COMPLETE'] } as const;

/** Opens a region of so many 0xee on a side. @returns how its peer sees it, sent as JSON or as bytes. */
async function expose(side: Side<Kept>, length: number, as: 'JSON' | 'bytes' = 'JSON'): Promise<RemoteRegion> {
  const sent = await side.run(
    ({ fabric, kept }, size, form) => {
      // Where the provider leaves progress to the application, an end with nothing outstanding looks only now and then.
      kept.endpoint.trecv(new Uint8Array(1), 0n).catch(() => undefined);
      kept.region = new fabric.MemoryRegion(kept.endpoint.domain, Buffer.alloc(size, 0xee));
      return form === 'JSON' ? JSON.stringify(kept.region.remote()) : kept.region.remote().toBytes();
    },
    length,
    as,
  );
  return typeof sent === 'string' ? RemoteRegion.fromJSON(JSON.parse(sent) as never) : RemoteRegion.fromBytes(sent);
}

const contentOf = (side: Side<Kept>) => side.run(({ kept }) => Buffer.from(kept.region.bytes));

/** Writes from one side to the region of the other. */
const write = (
  side: Side<Kept>,
  parts: readonly Buffer[],
  remote: RemoteRegion,
  options: { remoteOffset?: number; data?: bigint; flags?: readonly (typeof FLAGS)[number][] } = DELIVERED,
) =>
  side.run(
    ({ fabric, kept }, buffers, region, wanted) =>
      kept.endpoint.write(buffers, kept.toPeer, fabric.RemoteRegion.fromBytes(region), wanted),
    parts,
    remote.toBytes(),
    options,
  );

const read = (side: Side<Kept>, sizes: readonly number[], remote: RemoteRegion, remoteOffset = 0) =>
  side.run(
    async ({ fabric, kept }, lengths, region, offset) => {
      const buffers = lengths.map((length) => Buffer.alloc(length));
      const remoteRegion = fabric.RemoteRegion.fromBytes(region);
      await kept.endpoint.read(buffers, kept.toPeer, remoteRegion, { remoteOffset: offset });
      return Buffer.concat(buffers);
    },
    sizes,
    remote.toBytes(),
    remoteOffset,
  );

/** Opens a region of as many buffers of 100 bytes as the provider takes. @returns how a peer sees each. */
function exposeSeveral({ fabric, kept }: Scope<Kept>): Buffer[] {
  kept.endpoint.trecv(new Uint8Array(1), 0n).catch(() => undefined);
  const { domain } = kept.endpoint;
  const buffers = Array.from({ length: domain.info.domainAttr.mrIovLimit }, () => Buffer.alloc(100, 0xee));
  kept.region = new fabric.MemoryRegion(domain, buffers);
  return buffers.map((_, index) => kept.region.remote(index).toBytes());
}

const contentsOf = ({ kept: { region } }: Scope<Kept>): Buffer[] =>
  region.buffers.map(({ buffer, byteOffset }) => Buffer.from(buffer.slice(byteOffset, byteOffset + 100)));

describe('memory of another process', () => {
  const several = new OtherProcess<Kept>();

  overProvidersWith(HINTS.caps, (_, provider) => {
    const there = new OtherProcess<Kept>();
    const DATA = dataOver(provider);
    const meet = () => acquaint(there, provider, HINTS, { progress: 'spin' });
    const sizes = [1, 4096, 65_536, 1 << 20].filter((size) => size <= (provider === 'udp;ofi_rxd' ? 65_536 : Infinity));

    it('is written and read in both directions, its region sent as JSON or as bytes', async () => {
      const here = await meet();
      for (const [index, [from, to]] of bothWays(here, there).entries()) {
        for (const size of sizes) {
          const remote = await expose(to, size + 20, index === 0 ? 'JSON' : 'bytes');
          const message = pattern(size, index);
          await write(from, [message], remote, { ...DELIVERED, remoteOffset: 10 });
          const content = await contentOf(to);
          expectSame(content.subarray(10, -10), message);
          expect([content[9], content[size + 10]]).toEqual([0xee, 0xee]);
          expectSame(await read(from, [size], remote, 10), message);
        }
      }
    });

    it('is written from several buffers, and read into several', async () => {
      const here = await meet();
      for (const [from, to] of bothWays(here, there)) {
        const remote = await expose(to, 20_000);
        const message = pattern(20_000);
        await write(from, [message.subarray(0, 1), message.subarray(1, 7000), message.subarray(7000)], remote);
        expectSame(await contentOf(to), message);
        expectSame(await read(from, [9000, 11_000], remote), message);
      }
    });

    it('is written with immediate data, which its owner is told, injected too', async () => {
      const here = await meet();
      for (const [from, to] of bothWays(here, there)) {
        const remote = await expose(to, 5000);
        const told = to.run(async ({ kept: { endpoint } }) => {
          const [first, second] = [endpoint.completionQueue.remoteWrite(), endpoint.completionQueue.remoteWrite()];
          return [(await first).data, (await second).data];
        });
        await write(from, [pattern(5000)], remote, { data: DATA });
        await from.run(
          ({ fabric, kept }, message, region, data) =>
            kept.endpoint.injectWrite(message, kept.toPeer, fabric.RemoteRegion.fromBytes(region), { data }),
          pattern(32, 2),
          remote.toBytes(),
          DATA - 1n,
        );
        expect(await told).toEqual([DATA, DATA - 1n]);
        expectSame((await contentOf(to)).subarray(0, 32), pattern(32, 2));
        expectSame((await contentOf(to)).subarray(32), pattern(5000).subarray(32));
      }
    });

    it('is written with every flag', async () => {
      const here = await meet();
      const remote = await expose(there, 64);
      for (const [index, flag] of FLAGS.entries()) {
        const message = pattern(32, index);
        const writing = write(here, [message], remote, { flags: [flag] });
        if (flag === 'FI_INJECT' && provider === 'udp;ofi_rxd') {
          // it would never complete
          expect(await outcomes([writing], flag)).toEqual(['FI_EOPNOTSUPP']);
          continue;
        }
        // one after it: FI_MORE says that there is
        await Promise.all([writing, write(here, [message], remote, { ...DELIVERED, remoteOffset: 32 })]);
        expectSame(await read(here, [64], remote), Buffer.concat([message, message]));
      }
    });

    // libfabric's own providers look at the first buffer of a region only when a peer comes
    it('is the first of several buffers in one region; the others are refused', async () => {
      const here = await meet();
      const parts = await there.run(exposeSeveral);
      expect(parts).toHaveLength(provider === 'sockets' ? 8 : 1);
      const writing = parts.map((part, index) => write(here, [pattern(100, index)], RemoteRegion.fromBytes(part)));
      expect(await outcomes(writing, 'the writes')).toEqual(['fulfilled', ...parts.slice(1).map(() => 'FI_EACCES')]);
      const [first, ...others] = await there.run(contentsOf);
      expectSame(first!, pattern(100, 0));
      for (const content of others) expectSame(content, Buffer.alloc(100, 0xee));
    });
  });

  const shm: Hints = { ...HINTS, domainAttr: { mrMode: ['FI_MR_VIRT_ADDR'] }, fabricAttr: { provName: 'shm' } };
  it.skipIf(getInfo(shm).length === 0)(
    'is each of several buffers in one region over shm, when getInfo() is asked for FI_MR_VIRT_ADDR',
    async () => {
      const endpoint = openEndpoint(getInfo(shm)[0]!);
      const address = await several.run(
        ({ fabric, kept, opened }, hints, peer) => {
          kept.endpoint = opened(fabric.Endpoint.open(fabric.getInfo(hints)[0]!));
          kept.endpoint.addressVector.insert(peer);
          return kept.endpoint.address;
        },
        shm,
        endpoint.address,
      );
      const here = new ThisProcess({ endpoint, toPeer: endpoint.addressVector.insert(address) } as Kept);
      const parts = await several.run(exposeSeveral);
      expect(parts).toHaveLength(4);
      // FI_DELIVERY_COMPLETE would have the peer look at the address, who knows the first buffer only
      for (const [index, part] of parts.entries()) {
        await write(here, [pattern(100, index)], RemoteRegion.fromBytes(part), {});
        expectSame(await read(here, [100], RemoteRegion.fromBytes(part)), pattern(100, index));
      }
      for (const [index, content] of (await several.run(contentsOf)).entries()) {
        expectSame(content, pattern(100, index));
      }
    },
  );
});

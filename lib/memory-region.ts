/** struct fid_mr: memory that peers may access, or that operations use. */
import { binding } from './binding.js';
import { ERRORS } from './constants.js';
import type { Counter } from './counter.js';
import { DOING, openDevice, type DeviceMemory, type DmaBuffer } from './device-memory.js';
import type { Domain } from './domain.js';
import type { EndpointBase } from './endpoint-base.js';
import { check, fabricError, show } from './errors.js';
import { encodeFlags, type FlagsInput } from './fields.js';
import { MR_ACCESS, MR_FLAGS } from './memory-constants.js';
import { locate, type Slice } from './memory.js';
import { rawKeyOf } from './raw-key.js';
import { RemoteRegion } from './remote-region.js';
import { handleOf, Resource, resourceHandle } from './resource.js';

/** Options of a {@link MemoryRegion}. */
export interface MemoryRegionOptions {
  /** What may be done with it. @defaultValue everything, by this process and by peers */
  readonly access?: FlagsInput<typeof MR_ACCESS> | undefined;
  /**
   * The key that peers shall use, unique in the domain, where the provider lets the application choose (no
   * FI_MR_PROV_KEY). @defaultValue one that is free
   */
  readonly key?: bigint | undefined;
  /** Flags of fi_mr_regattr(3). */
  readonly flags?: FlagsInput<typeof MR_FLAGS> | undefined;
  /** Counts what peers write into the region, on endpoints with FI_RMA_EVENT: fi_mr_bind(3). */
  readonly counter?: Counter | undefined;
  /** The endpoint that it belongs to; needed where the domain has FI_MR_ENDPOINT, refused elsewhere. */
  readonly endpoint?: EndpointBase | undefined;
}

const LOCAL = MR_ACCESS.FI_SEND | MR_ACCESS.FI_RECV | MR_ACCESS.FI_READ | MR_ACCESS.FI_WRITE;
const REMOTE = MR_ACCESS.FI_REMOTE_READ | MR_ACCESS.FI_REMOTE_WRITE;

/**
 * Registered memory: fi_mr(3). Sending and receiving need none; what peers read, write and change atomically does.
 *
 * Its bytes stay in place, whatever JavaScript does with the buffers, until the region is closed. A region that peers may
 * access stays open until it or its domain is closed, even when nobody holds it any more; close it when the peers are done:
 * what they do afterwards fails at their end, but what they are in the middle of may still change the bytes.
 */
export class MemoryRegion extends Resource {
  readonly domain: Domain;
  /** What it is made of, in order; empty for memory of a device. */
  readonly buffers: readonly ArrayBufferView[];
  /** In bytes, all buffers together. */
  readonly length: number;

  /**
   * fi_mr_regattr(3), and fi_mr_bind(3) and fi_mr_enable(3) where the provider wants them.
   *
   * @param memory - A buffer; several, up to `domainAttr.mrIovLimit`, as one region; or memory of a device.
   * @throws TypeError or RangeError for arguments that cannot be, FabricError when libfabric refuses: `FI_ENOKEY` for a
   * key that is taken.
   */
  constructor(
    domain: Domain,
    memory: ArrayBufferView | readonly ArrayBufferView[] | DeviceMemory | DmaBuffer,
    options: MemoryRegionOptions = {},
  ) {
    const domainHandle = resourceHandle(domain, 'Domain', 'domain');
    const { counter, endpoint } = options;
    const mrMode = domain.info.domainAttr.mrMode;
    for (const [name, bound] of Object.entries({ counter, endpoint })) {
      if (bound === undefined) continue;
      resourceHandle(bound, name === 'counter' ? 'Counter' : 'Endpoint', `options.${name}`);
      if (bound.domain !== domain) throw new TypeError(`options.${name}: belongs to another domain`);
    }
    if ((endpoint !== undefined) !== mrMode.includes('FI_MR_ENDPOINT')) {
      const rule = endpoint === undefined ? 'is needed: the domain has' : 'cannot be: the domain does not have';
      throw new TypeError(`options.endpoint: ${rule} FI_MR_ENDPOINT`);
    }
    const access = encodeFlags(options.access ?? LOCAL | REMOTE, MR_ACCESS, 'options.access');
    let flags = encodeFlags(options.flags ?? 0n, MR_FLAGS, 'options.flags');
    const isDisabled = endpoint !== undefined || (counter !== undefined && mrMode.includes('FI_MR_RMA_EVENT'));
    if (counter !== undefined && mrMode.includes('FI_MR_RMA_EVENT')) flags |= MR_FLAGS.FI_RMA_EVENT;
    const key = checkKey(options.key, domain);
    const isDevice = !ArrayBuffer.isView(memory) && !Array.isArray(memory);
    const buffers = ArrayBuffer.isView(memory) ? [memory] : Array.isArray(memory) ? (memory as ArrayBufferView[]) : [];
    const handle = isDevice
      ? openDevice(domainHandle, domain, memory as DeviceMemory | DmaBuffer, access, key, flags)
      : binding.memoryRegionOpen(domainHandle, segmentsOf(buffers, domain), access, key, flags);
    super(
      check<number>(handle, 'fi_mr_regattr', DOING, keyHint(handle)),
      binding.memoryRegionClose,
      [domain, ...(counter === undefined ? [] : [counter]), ...(endpoint === undefined ? [] : [endpoint])],
      { isLast: true },
    );
    this.domain = domain;
    this.buffers = [...buffers];
    this.length = isDevice
      ? (memory as DeviceMemory).length
      : buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
    try {
      if (counter !== undefined) {
        const bound = binding.memoryRegionBindCounter(handle, handleOf(counter), MR_ACCESS.FI_REMOTE_WRITE);
        check(bound, 'fi_mr_bind', 'cannot bind a counter to a region');
      }
      if (endpoint !== undefined) {
        check(binding.memoryRegionBindEndpoint(handle, handleOf(endpoint)), 'fi_mr_bind', DOING);
      }
      if (isDisabled) check(binding.memoryRegionEnable(handle), 'fi_mr_enable', DOING);
    } catch (error) {
      super.close();
      throw error;
    }
    if ((access & REMOTE) !== 0n) domain.exposed.add(this);
  }

  /** The bytes of the first buffer. */
  get bytes(): Uint8Array {
    const [buffer] = this.buffers;
    if (buffer === undefined) throw new TypeError('bytes: memory of a device has none here');
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  /** What peers name it by: fi_mr_key(3). For raw keys, see {@link remote}. */
  get key(): bigint {
    return check<bigint>(binding.memoryRegionKey(handleOf(this)), 'fi_mr_key', 'cannot get the key');
  }

  /** Operations of this process in flight whose buffers lie in it. What peers do is not counted: nobody here knows. */
  get inFlight(): number {
    return check<number>(binding.memoryRegionInFlight(handleOf(this)), 'fi_mr_close', 'cannot count operations');
  }

  /**
   * What a peer needs to access a buffer of it, to be sent to that peer.
   *
   * @param index - Which of {@link buffers}.
   */
  remote(index = 0): RemoteRegion {
    if (!Number.isInteger(index) || index < 0 || index >= Math.max(this.buffers.length, 1)) {
      throw new RangeError(`index: expected one of ${this.buffers.length} buffers, not ${show(index)}`);
    }
    const { mrMode } = this.domain.info.domainAttr;
    const length = this.buffers[index]?.byteLength ?? this.length;
    const isVirtual = mrMode.includes('FI_MR_VIRT_ADDR') || mrMode.includes('FI_MR_BASIC');
    const address = isVirtual ? this.#addressOf(index) : this.#offsetOf(index);
    return new RemoteRegion(address, mrMode.includes('FI_MR_RAW') ? rawKeyOf(this) : this.key, length);
  }

  #addressOf(index: number): bigint {
    const address = binding.memoryRegionAddress(handleOf(this), index);
    return check<bigint>(address, 'fi_mr_regattr', 'cannot get the address of a region');
  }

  #offsetOf(index: number): bigint {
    return BigInt(this.buffers.slice(0, index).reduce((sum, { byteLength }) => sum + byteLength, 0));
  }

  /**
   * Tells the provider that the pages behind the region may have changed: fi_mr_refresh(3), for domains with
   * FI_MR_MMU_NOTIFY.
   */
  refresh(): void {
    check(binding.memoryRegionRefresh(handleOf(this)), 'fi_mr_refresh', 'cannot refresh a region');
  }

  /**
   * Closes the region. What peers do with it afterwards fails.
   *
   * @throws FabricError `FI_EBUSY` while operations of this process use it; see {@link closeWhenIdle}.
   */
  override close(): void {
    if (!this.closed) {
      const { inFlight } = this;
      if (inFlight > 0) {
        const operations = inFlight === 1 ? '1 operation in flight uses' : `${inFlight} operations in flight use`;
        throw fabricError('cannot close the MemoryRegion', {
          errno: ERRORS.FI_EBUSY,
          syscall: 'fi_close',
          hint: `${operations} its memory: await closeWhenIdle() or drained(), or close the endpoint first.`,
        });
      }
    }
    super.close();
  }

  /** Resolves when no operation of this process uses the region, or it was closed. */
  drained({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const { listeners } = this.domain;
      const end = (settle: () => void): void => {
        listeners.delete(look);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const abort = (): void => {
        end(() => {
          reject(signal!.reason as Error);
        });
      };
      const look = (): void => {
        if (this.closed || this.inFlight === 0) end(resolve);
      };
      listeners.add(look);
      signal?.addEventListener('abort', abort);
      if (signal?.aborted === true) abort();
      else look();
    });
  }

  /** {@link drained}, then {@link close}. */
  async closeWhenIdle(options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    await this.drained(options);
    this.close();
  }

  /** @internal */
  override afterClose(): void {
    this.domain.exposed.delete(this);
    this.domain.operationsEnded();
  }
}

function checkKey(key: bigint | undefined, domain: Domain): bigint | undefined {
  if (key === undefined) return undefined;
  const { mrMode, mrKeySize } = domain.info.domainAttr;
  if (mrMode.includes('FI_MR_PROV_KEY') || mrMode.includes('FI_MR_BASIC')) {
    throw new TypeError('options.key: cannot be: the provider chooses the keys of this domain (FI_MR_PROV_KEY)');
  }
  const bits = BigInt(Math.min(mrKeySize, 8) * 8);
  if (typeof key === 'bigint' && key >= 0n && key < 1n << bits) return key;
  throw new RangeError(`options.key: expected an unsigned bigint of ${bits} bits (mrKeySize), not ${show(key)}`);
}

function keyHint(result: number): string | undefined {
  return result === -ERRORS.FI_ENOKEY
    ? 'Another region of the domain has the key; leave it out to get one.'
    : undefined;
}

function segmentsOf(buffers: readonly ArrayBufferView[], domain: Domain): number[] {
  const limit = Math.max(domain.info.domainAttr.mrIovLimit, 1);
  if (buffers.length === 0 || buffers.length > limit) {
    throw new RangeError(`memory: expected 1 to ${limit} buffers (domainAttr.mrIovLimit), not ${buffers.length}`);
  }
  const slice: Slice = { memory: -1, offset: 0, length: 0 };
  return buffers.flatMap((buffer, index) => {
    locate(buffer, `memory[${index}]`, slice);
    if (slice.length === 0) throw new RangeError(`memory[${index}]: is empty; a region has at least one byte`);
    return [slice.memory, slice.offset, slice.length];
  });
}

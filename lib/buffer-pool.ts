/** Registered buffers of one size, to be used over and over. */
import { ERRORS } from './constants.js';
import type { Domain } from './domain.js';
import { fabricError, show } from './errors.js';
import type { AllocateOptions } from './allocation.js';
import type { MemoryRegion } from './memory-region.js';
import type { RemoteRegion } from './remote-region.js';

/** Options of a {@link BufferPool}. */
export interface BufferPoolOptions extends AllocateOptions {
  /** How many buffers there are. */
  readonly count: number;
  /** Bytes of each. */
  readonly byteLength: number;
}

/** A buffer of a pool, from {@link BufferPool.acquire} to {@link release}. */
export class PooledBuffer {
  readonly #pool: BufferPool;

  /** @internal */
  constructor(
    pool: BufferPool,
    /** @internal Which one of the pool. */
    readonly index: number,
    /** Its memory; not to be used after {@link release}. */
    readonly bytes: Uint8Array,
    /** What a peer needs to access it. */
    readonly remote: RemoteRegion,
  ) {
    this.#pool = pool;
  }

  /** Gives it back: whoever waits longest gets it. Not before the operations on it have completed. */
  release(): void {
    this.#pool.release(this);
  }

  /** {@link release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}

interface Waiter {
  readonly resolve: (buffer: PooledBuffer) => void;
  readonly reject: (error: unknown) => void;
  readonly unlisten: () => void;
}

const ALIGNMENT = 64;
const MOST_BUFFERS = 2 ** 20;

/**
 * A bounded pool of registered buffers in one region of {@link Domain.allocate}: no registration, no page fault and no
 * garbage for each message. Who finds it empty waits.
 */
export class BufferPool {
  /** Where the buffers are. */
  readonly region: MemoryRegion;
  readonly #free: PooledBuffer[] = [];
  readonly #held = new Set<PooledBuffer>();
  readonly #waiting: Waiter[] = [];
  /** The region is closed with its domain as well. */
  readonly #watch = (): void => {
    if (!this.region.closed) return;
    this.region.domain.listeners.delete(this.#watch);
    for (const { unlisten, reject } of this.#waiting.splice(0)) {
      unlisten();
      reject(closedError());
    }
  };

  /** @throws as {@link Domain.allocate}. */
  constructor(domain: Domain, options: BufferPoolOptions) {
    const { count, byteLength, ...allocation } = options;
    for (const [name, value, most] of [
      ['count', count, MOST_BUFFERS],
      ['byteLength', byteLength, Number.MAX_SAFE_INTEGER / MOST_BUFFERS],
    ] as const) {
      if (!Number.isInteger(value) || value < 1 || value > most) {
        throw new RangeError(`options.${name}: expected an integer from 1 to ${Math.floor(most)}, not ${show(value)}`);
      }
    }
    const stride = Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
    this.region = domain.allocate(stride * count, allocation);
    const remote = this.region.remote();
    const { bytes } = this.region;
    for (let index = count - 1; index >= 0; index--) {
      const start = index * stride;
      const part = bytes.subarray(start, start + byteLength);
      this.#free.push(new PooledBuffer(this, index, part, remote.slice(start, byteLength)));
    }
  }

  /** Buffers that nobody has. */
  get available(): number {
    return this.#free.length;
  }

  /** Calls of {@link acquire} that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Takes a buffer, waiting for one to be released if all are taken. First come, first served.
   *
   * @throws FabricError: rejects with `FI_ECANCELED` when the pool is closed, or with the signal's reason.
   */
  acquire({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<PooledBuffer> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.region.closed) return Promise.reject(closedError());
    const buffer = this.tryAcquire();
    if (buffer !== undefined) return Promise.resolve(buffer);
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal!.reason as Error);
      };
      const unlisten = (): void => signal?.removeEventListener('abort', abort);
      const waiter: Waiter = { resolve, reject, unlisten };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiter);
      this.region.domain.listeners.add(this.#watch);
    });
  }

  /** Takes a buffer if there is one. @throws FabricError when the pool is closed. */
  tryAcquire(): PooledBuffer | undefined {
    if (this.region.closed) throw closedError();
    const buffer = this.#free.pop();
    if (buffer !== undefined) this.#held.add(buffer);
    return buffer;
  }

  /** Gives a buffer back. @throws TypeError for one that is not taken from this pool. */
  release(buffer: PooledBuffer): void {
    if (!this.#held.has(buffer)) {
      throw new TypeError('buffer: is not taken from this pool, or was released before');
    }
    const waiter = this.#waiting.shift();
    // A new object: whoever released the old one cannot release it again under its new holder.
    const fresh = new PooledBuffer(this, buffer.index, buffer.bytes, buffer.remote);
    this.#held.delete(buffer);
    if (waiter === undefined) {
      this.#free.push(fresh);
      return;
    }
    waiter.unlisten();
    this.#held.add(fresh);
    waiter.resolve(fresh);
  }

  /**
   * Closes the region. Who waits is rejected.
   *
   * @throws FabricError `FI_EBUSY` while operations use a buffer of it.
   */
  close(): void {
    this.region.close();
  }

  /** {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

const closedError = (): Error =>
  fabricError('the BufferPool is closed', { errno: ERRORS.FI_ECANCELED, syscall: 'fi_close' });

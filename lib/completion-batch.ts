/** Where completions are written: typed arrays over one buffer, filled natively. */
import { locate, type Slice } from './memory.js';
import { show } from './errors.js';

const BYTES_PER_ENTRY = 5 * 8 + 4 * 4;
const LARGEST = 1 << 16;

/**
 * Room for completions, filled by {@link CompletionQueue.read} without allocating anything. Entry `i` of each array
 * belongs to completion `i`; struct fi_cq_tagged_entry and fi_cq_err_entry of fi_cq(3).
 */
export class CompletionBatch {
  readonly capacity: number;
  /** Bytes received; 0 for a send with some providers. */
  readonly length: Float64Array;
  /** What completed: FI_SEND, FI_RECV, FI_TAGGED, FI_REMOTE_CQ_DATA … */
  readonly flags: BigUint64Array;
  /** Immediate data of the peer, where `flags` has FI_REMOTE_CQ_DATA. */
  readonly data: BigUint64Array;
  /** Tag of a tagged receive. */
  readonly tag: BigUint64Array;
  /** Multi-receive: where the message is, in bytes from the start of the ArrayBuffer; -1 for a release without message. */
  readonly offset: Float64Array;
  /** What was given as `context` when the operation was posted. */
  readonly context: Uint32Array;
  /** 0, or the positive libfabric error number of a failed operation. */
  readonly error: Int32Array;
  /** The provider's own number of that error; see {@link CompletionQueue.strerror}. */
  readonly providerError: Int32Array;
  /** Who sent it, as an index of the address vector, where the endpoint has FI_SOURCE; else, or when unknown, -1. */
  readonly source: Int32Array;

  readonly #slice: Slice = { memory: -1, offset: 0, length: 0 };

  /** @param capacity - How many completions fit, 1 to 65536. */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > LARGEST) {
      throw new RangeError(`capacity: expected an integer from 1 to ${LARGEST}, not ${show(capacity)}`);
    }
    this.capacity = capacity;
    const buffer = new ArrayBuffer(BYTES_PER_ENTRY * capacity);
    // 64-bit arrays first, for alignment. native/completion_queue.h has the same layout.
    this.length = new Float64Array(buffer, 0, capacity);
    this.flags = new BigUint64Array(buffer, 8 * capacity, capacity);
    this.data = new BigUint64Array(buffer, 16 * capacity, capacity);
    this.tag = new BigUint64Array(buffer, 24 * capacity, capacity);
    this.offset = new Float64Array(buffer, 32 * capacity, capacity);
    this.context = new Uint32Array(buffer, 40 * capacity, capacity);
    this.error = new Int32Array(buffer, 44 * capacity, capacity);
    this.providerError = new Int32Array(buffer, 48 * capacity, capacity);
    this.source = new Int32Array(buffer, 52 * capacity, capacity);
    locate(this.length, 'batch', this.#slice);
  }

  /** @internal The native memory to fill. @throws TypeError for what is no CompletionBatch. */
  static memoryOf(batch: CompletionBatch): number {
    if (!(batch instanceof CompletionBatch)) {
      throw new TypeError(`batch: expected a CompletionBatch, not ${show(batch)}`);
    }
    return batch.#slice.memory;
  }
}

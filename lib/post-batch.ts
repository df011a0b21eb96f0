/** Operations that are posted together, in one call: numbers in one buffer, which the native side reads. */
import { POST_KINDS } from './binding.js';
import { ERRORS } from './constants.js';
import { fabricError, show } from './errors.js';
import { locate, type Slice } from './memory.js';

type PostKind = keyof typeof POST_KINDS;

const SYSCALLS: Readonly<Record<PostKind, string>> = {
  send: 'fi_send',
  recv: 'fi_recv',
  tsend: 'fi_tsend',
  trecv: 'fi_trecv',
  inject: 'fi_inject',
  read: 'fi_read',
  write: 'fi_write',
};

const LARGEST = 1 << 16;
/** native/post_batch.h has the same layout: one header, then entries. */
const BYTES_PER_ENTRY = 64;
const INTS_PER_ENTRY = BYTES_PER_ENTRY / 4;
const WORDS_PER_ENTRY = BYTES_PER_ENTRY / 8;
/** Of the header, in 32-bit integers. */
const POSITION = 0;
const LIMIT = 1;
const ERROR = 2;
/** Of an entry, in 32-bit integers … */
const KIND = 0;
const ENDPOINT = 1;
const MEMORY = 2;
const ADDRESS = 3;
const CONTEXT = 8;
/** … and in 64-bit ones. */
const OFFSET = 2;
const LENGTH = 3;
const FIRST = 5;
const SECOND = 6;

/**
 * Operations of the batch door that {@link CompletionQueue.read} posts before it reads completions, all in one native
 * call. What is the same time after time is checked and written down once:
 *
 * ```js
 * const posts = new PostBatch(2);
 * endpoint.postInject(message, peer, posts);
 * endpoint.postRecv(answer, RECEIVE, undefined, posts);
 * for (let i = 0; i < rounds; i++) {
 *   posts.rewind();
 *   while (queue.read(batch, 1000, posts) === 0) continue;
 * }
 * ```
 */
export class PostBatch {
  /** How many operations fit. */
  readonly capacity: number;
  readonly #integers: Int32Array;
  readonly #words: BigInt64Array;
  /** What has to stay reachable: it is used each time. */
  readonly #buffers: ArrayBufferView[] = [];
  readonly #kinds: PostKind[] = [];
  readonly #slice: Slice = { memory: -1, offset: 0, length: 0 };

  /** @param capacity - How many operations fit, 1 to 65536. */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > LARGEST) {
      throw new RangeError(`capacity: expected an integer from 1 to ${LARGEST}, not ${show(capacity)}`);
    }
    this.capacity = capacity;
    const store = new ArrayBuffer((capacity + 1) * BYTES_PER_ENTRY);
    this.#integers = new Int32Array(store);
    this.#words = new BigInt64Array(store);
    locate(this.#integers, 'posts', this.#slice);
  }

  /** How many operations it has. */
  get length(): number {
    return this.#kinds.length;
  }

  /** How many of them the provider has taken since the last {@link rewind}. The next read posts from here on. */
  get position(): number {
    return this.#integers[POSITION]!;
  }

  /** Whether everything is posted that {@link rewind} asked for. */
  get isPosted(): boolean {
    return this.#integers[POSITION]! >= this.#integers[LIMIT]!;
  }

  /**
   * Makes the next {@link CompletionQueue.read} post from the first one on again.
   *
   * @param count - Only so many of them.
   * @throws TypeError when one of the buffers has been transferred since, RangeError for more than there are.
   */
  rewind(count = this.#kinds.length): void {
    if (!Number.isInteger(count) || count < 0 || count > this.#kinds.length) {
      throw new RangeError(`count: expected an integer from 0 to ${this.#kinds.length}, not ${show(count)}`);
    }
    for (let i = 0; i < count; i++) {
      // Empty is what a detached buffer looks like; `length` is what engines read fastest.
      const buffer = this.#buffers[i]!;
      if (!((buffer as Uint8Array).length > 0)) locate(buffer, `buffer of operation ${i}`, IGNORED);
    }
    this.#integers[POSITION] = 0;
    this.#integers[LIMIT] = count;
    this.#integers[ERROR] = 0;
  }

  /** Takes all operations out. */
  clear(): void {
    this.#buffers.length = 0;
    this.#kinds.length = 0;
    this.rewind();
  }

  /** @internal Adds one, whose arguments have been checked. @throws RangeError when there is no room. */
  static add(
    batch: PostBatch,
    kind: PostKind,
    endpoint: number,
    buffer: ArrayBufferView,
    slice: Slice,
    address: number,
    context: number,
    first: number | bigint = 0,
    second: number | bigint = 0,
  ): void {
    if (!(batch instanceof PostBatch)) throw new TypeError(`batch: expected a PostBatch, not ${show(batch)}`);
    const index = batch.#kinds.length;
    if (index === batch.capacity) throw new RangeError(`batch: has room for ${batch.capacity} operations, and is full`);
    batch.#kinds.push(kind);
    batch.#buffers.push(buffer);
    const integers = batch.#integers.subarray((index + 1) * INTS_PER_ENTRY);
    integers[KIND] = POST_KINDS[kind];
    integers[ENDPOINT] = endpoint;
    integers[MEMORY] = slice.memory;
    integers[ADDRESS] = address;
    integers[CONTEXT] = context;
    const words = batch.#words.subarray((index + 1) * WORDS_PER_ENTRY);
    words[OFFSET] = BigInt(slice.offset);
    words[LENGTH] = BigInt(slice.length);
    words[FIRST] = BigInt(first);
    words[SECOND] = BigInt(second);
    batch.#integers[LIMIT] = index + 1;
  }

  /** @internal The native memory to post from. @throws TypeError for what is no PostBatch. */
  static memoryOf(batch: PostBatch): number {
    if (!(batch instanceof PostBatch)) throw new TypeError(`posts: expected a PostBatch, not ${show(batch)}`);
    return batch.#slice.memory;
  }

  /** @internal @throws FabricError when the operation at the position was refused; it stays the next. */
  static check(batch: PostBatch): void {
    const error = batch.#integers[ERROR]!;
    if (error === 0) return;
    batch.#integers[ERROR] = 0;
    const position = batch.#integers[POSITION]!;
    const syscall = SYSCALLS[batch.#kinds[position]!];
    throw fabricError(`cannot post operation ${position} of the batch, a ${syscall.replace('fi_', '')}`, {
      errno: -error,
      syscall,
      hint: error === -ERRORS.FI_EBADF ? 'Its endpoint has been closed.' : undefined,
    });
  }
}

/** Where to is of no interest. */
const IGNORED: Slice = { memory: -1, offset: 0, length: 0 };

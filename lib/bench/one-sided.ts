/** Reading and writing memory of the other end: that end serves its provider, and sees nothing. */
import type { Endpoint } from '../index.js';
import { BatchExchange, contextOf, SEND, SPIN_MICROSECONDS } from './batch-exchange.js';
import type { Link, Stream } from './link.js';
import type { Message } from './protocol.js';
import { WindowClock } from './window-clock.js';

/** Posts an operation on the other end's memory; false when the provider is full. */
type Post = (buffer: Buffer, context: number) => boolean;

function postOf({ endpoint, peer }: Stream, { operation, writable, readable }: Link): Post {
  // Parameters say that only endpoints without connections have remote memory.
  const rma = endpoint as Endpoint;
  return operation === 'write'
    ? (buffer, context) => rma.postWrite(buffer, peer, writable!, 0, context)
    : (buffer, context) => rma.postRead(buffer, peer, readable!, 0, context);
}

/** Takes the time of each operation, from the post to its completion. */
export class OneSidedLatency extends BatchExchange {
  readonly #samples: Float64Array;
  readonly #total: number;
  readonly #post: Post;
  #postedAt = 0;

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    this.#samples = new Float64Array(start.iterations);
    this.#total = start.warmup + start.iterations;
    this.#post = postOf(link.stream, link);
  }

  override get iteration(): number {
    return this.completed;
  }

  /** The operations that count, in milliseconds. */
  get samples(): Float64Array {
    return this.#samples.subarray(0, Math.max(0, this.completed - this.start.warmup));
  }

  override prepare(): void {
    // Nothing arrives here that was not asked for.
  }

  protected override advance(until: number): boolean {
    const { transmitBuffer, receiveBuffer } = this;
    const { warmup } = this.start;
    const { verifies, operation } = this.link;
    const isRead = operation === 'read';
    const buffer = isRead ? receiveBuffer : transmitBuffer;
    while (this.completed < this.#total) {
      const now = performance.now();
      if (now > until) return false;
      if (this.sent === this.completed) {
        if (this.#post(buffer, SEND)) this.sent++;
        this.#postedAt = now;
      }
      this.poll(this.sent > this.completed ? SPIN_MICROSECONDS : 0);
      if (this.completed < this.sent) continue;
      if (this.completed > warmup) this.#samples[this.completed - warmup - 1] = performance.now() - this.#postedAt;
      const isLooked = this.completed <= warmup || this.completed === this.#total || verifies;
      if (isRead && isLooked && this.completed > 0) this.verify();
    }
    return true;
  }
}

interface Lane {
  post: Post;
  posted: number;
  completed: number;
  /** Windows whose data was looked at, where every message is. */
  verified: number;
  buffers: readonly Buffer[];
}

/** Keeps a window of operations in flight in each stream. */
export class OneSidedWindows extends BatchExchange {
  readonly clock: WindowClock;
  readonly #lanes: readonly Lane[];
  readonly #windows: number;
  /** Whether each message is looked at, a window at a time. */
  readonly #checks: boolean;

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    const { size, window, warmup, iterations } = start;
    this.clock = new WindowClock(start);
    this.#windows = warmup + iterations;
    this.#checks = link.verifies && link.operation === 'read';
    const shared = link.operation === 'read' ? this.receiveBuffer : this.transmitBuffer;
    this.#lanes = link.streams.map((stream) => ({
      post: postOf(stream, link),
      posted: 0,
      completed: 0,
      verified: 0,
      buffers: this.#checks ? Array.from({ length: window }, () => Buffer.alloc(size)) : [shared],
    }));
  }

  override get iteration(): number {
    return Math.floor(Math.min(...this.#lanes.map(({ completed }) => completed)) / this.start.window);
  }

  override prepare(): void {
    // Nothing arrives here that was not asked for.
  }

  protected override advance(until: number): boolean {
    const { window } = this.start;
    while (performance.now() < until) {
      const allowed = this.clock.allowed(this.iteration) * window;
      for (const [index, lane] of this.#lanes.entries()) {
        const { post, buffers } = lane;
        if (this.#checks && lane.completed === (lane.verified + 1) * window) {
          this.verify(buffers);
          lane.verified++;
        }
        const begun = this.#checks ? lane.verified * window : lane.completed;
        while (lane.posted < Math.min(allowed, begun + window)) {
          if (!post(buffers[lane.posted % buffers.length]!, contextOf(SEND, index))) break;
          lane.posted++;
          this.sent++;
        }
      }
      if (this.iteration >= this.#windows) {
        this.clock.stop();
        if (this.link.operation === 'read' && !this.#checks) this.verify();
        return true;
      }
      this.poll(SPIN_MICROSECONDS);
    }
    return false;
  }

  protected override onCompletion(kind: number, stream: number, length: number, index: number): void {
    super.onCompletion(kind, stream, length, index);
    this.#lanes[stream]!.completed++;
  }
}

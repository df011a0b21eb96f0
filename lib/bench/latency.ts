import { BatchExchange, RECEIVE, SEND, SPIN_MICROSECONDS } from './batch-exchange.js';
import type { Link } from './link.js';
import { injects, postsOf, type Posts } from './operations.js';
import type { Message } from './protocol.js';

/** Receives posted ahead, so that posting one never stands between a message and its answer. */
const RECEIVES_AHEAD = 2;

abstract class LatencyExchange extends BatchExchange {
  protected readonly total: number;
  /** Small messages go as C's fi_pingpong sends them: injected, without a completion. */
  protected readonly injects: boolean;
  /** Receives posted. */
  protected posted = 0;
  protected readonly posts: Posts;

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    this.total = start.warmup + start.iterations;
    this.posts = postsOf(link.stream, link.operation);
    this.injects = injects(link.stream, link.operation, start.size);
  }

  override prepare(): void {
    while (this.posted < Math.min(this.total, RECEIVES_AHEAD)) {
      if (!this.posts.receiveData(this.receiveBuffer, RECEIVE)) return;
      this.posted++;
    }
  }

  protected failAt(index: number, sent: number, received: number): never {
    this.sent = sent;
    this.received = received;
    this.fail(index);
  }
}

/** Sends first, and takes the time of each round trip. */
export class LatencyClient extends LatencyExchange {
  /** Round trips in milliseconds, as many as `iteration` says beyond the warm-up. */
  readonly #samples: Float64Array;
  #startedAt = 0;

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    this.#samples = new Float64Array(start.iterations);
  }

  override get iteration(): number {
    return this.received;
  }

  /** The round trips that count, in milliseconds. */
  get samples(): Float64Array {
    return this.#samples.subarray(0, Math.max(0, this.received - this.start.warmup));
  }

  // The hot loop. Locals instead of fields, one clock reading a round trip, no closure.
  protected override advance(until: number): boolean {
    const { queue, batch, transmitBuffer, receiveBuffer, total, injects } = this;
    const { endpoint, peer } = this.link.stream;
    const { sendData, receiveData } = this.posts;
    const { size, warmup } = this.start;
    const { verifies } = this.link;
    const { context, error, length } = batch;
    const samples = this.#samples;
    let { sent, received, completed, posted } = this;
    let startedAt = sent === received ? performance.now() : this.#startedAt;
    let inTime = true;
    while (inTime && (received < total || completed < total)) {
      if (sent === received && sent < total) {
        if (injects) {
          if (endpoint.postInject(transmitBuffer, peer)) {
            sent++;
            completed++;
          }
        } else if (sendData(transmitBuffer, SEND)) {
          sent++;
        }
      }
      // Its receive was posted ahead; while the message is on its way, post the one after the next.
      if (posted < total && posted < received + RECEIVES_AHEAD) {
        if (receiveData(receiveBuffer, RECEIVE)) posted++;
      }
      const count = queue.read(batch, sent === received && sent < total ? 0 : SPIN_MICROSECONDS);
      const before = received;
      for (let index = 0; index < count; index++) {
        if (error[index] !== 0) this.failAt(index, sent, received);
        if (context[index] === SEND) {
          completed++;
        } else {
          if (length[index] !== size) this.failAt(index, sent, received);
          received++;
        }
      }
      if (received !== before) {
        const now = performance.now();
        if (received > warmup) samples[received - warmup - 1] = now - startedAt;
        startedAt = now;
        if (received <= warmup || verifies) {
          this.received = received;
          this.verify();
          startedAt = performance.now();
        }
        inTime = now < until;
      } else if (count === 0) {
        inTime = performance.now() < until;
      }
    }
    this.sent = sent;
    this.received = received;
    this.completed = completed;
    this.posted = posted;
    this.#startedAt = startedAt;
    if (received < total || completed < total) return false;
    if (!verifies) this.verify();
    return true;
  }
}

/** Answers each message with one of its own. */
export class LatencyServer extends LatencyExchange {
  override get iteration(): number {
    return this.sent;
  }

  protected override advance(until: number): boolean {
    const { queue, batch, transmitBuffer, receiveBuffer, total, injects } = this;
    const { endpoint, peer } = this.link.stream;
    const { sendData, receiveData } = this.posts;
    const { size, warmup } = this.start;
    const { verifies } = this.link;
    const { context, error, length } = batch;
    let { sent, received, completed, posted } = this;
    let inTime = true;
    while (inTime && completed < total) {
      if (sent < received) {
        if (injects) {
          if (endpoint.postInject(transmitBuffer, peer)) {
            sent++;
            completed++;
          }
        } else if (sendData(transmitBuffer, SEND)) {
          sent++;
        }
      }
      if (posted < total && posted < received + RECEIVES_AHEAD) {
        if (receiveData(receiveBuffer, RECEIVE)) posted++;
      }
      const count = queue.read(batch, sent < received ? 0 : SPIN_MICROSECONDS);
      const before = received;
      for (let index = 0; index < count; index++) {
        if (error[index] !== 0) this.failAt(index, sent, received);
        if (context[index] === SEND) {
          completed++;
        } else {
          if (length[index] !== size) this.failAt(index, sent, received);
          received++;
        }
      }
      if (received !== before && (received <= warmup || received === total || verifies)) {
        this.received = received;
        this.verify();
      }
      // The clock costs as much as a post: look at it when there is time, and now and then.
      if (count === 0 || (received & 63) === 0) inTime = performance.now() < until;
    }
    this.sent = sent;
    this.received = received;
    this.completed = completed;
    this.posted = posted;
    return completed >= total;
  }
}

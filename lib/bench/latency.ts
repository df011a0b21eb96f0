import { PostBatch } from '../index.js';
import { BatchExchange, RECEIVE, SEND, SPIN_MICROSECONDS } from './batch-exchange.js';
import type { Link } from './link.js';
import { injects, postsOf, type Posts } from './operations.js';
import type { Message } from './protocol.js';

/** Receives posted ahead, so that posting one never stands between a message and its answer. */
const RECEIVES_AHEAD = 2;

/** The posts of one turn: a send, and … */
const SEND_ONLY = 1;
/** … a receive in place of the one that was used, while the message is on its way. */
const SEND_AND_RECEIVE = 2;

abstract class LatencyExchange extends BatchExchange {
  protected readonly total: number;
  /** Small messages go as C's fi_pingpong sends them: injected, without a completion. */
  protected readonly injects: boolean;
  /** Receives posted. */
  protected posted = 0;
  /** What a turn posts, in the native call that then waits. */
  protected readonly turn = new PostBatch(SEND_AND_RECEIVE);
  /** Turns begun: sends posted, or about to be. */
  protected begun = 0;
  readonly #posts: Posts;

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    const { stream, operation } = link;
    this.total = start.warmup + start.iterations;
    this.injects = injects(stream, operation, start.size);
    this.#posts = postsOf(stream, operation);
    if (this.injects) stream.endpoint.postInject(this.transmitBuffer, stream.peer, this.turn);
    else this.#posts.sendData(this.transmitBuffer, SEND, this.turn);
    this.#posts.receiveData(this.receiveBuffer, RECEIVE, this.turn);
    this.turn.rewind(0);
  }

  override prepare(): void {
    while (this.posted < Math.min(this.total, RECEIVES_AHEAD)) {
      if (!this.#posts.receiveData(this.receiveBuffer, RECEIVE)) return;
      this.posted++;
    }
  }

  /** Keeps what a loop had in locals, for whoever asks in between. */
  protected keep(begun: number, received: number, completed: number, posted: number): void {
    this.begun = begun;
    this.sent = this.turn.isPosted || this.turn.position > 0 ? begun : begun - 1;
    this.received = received;
    this.completed = completed;
    this.posted = posted;
  }

  protected failAt(index: number, begun: number, received: number): never {
    this.keep(begun, received, this.completed, this.posted);
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

  // The hot loop. Locals instead of fields, one native call and one clock reading a round trip, no closure.
  protected override advance(until: number): boolean {
    const { queue, batch, turn, total, injects } = this;
    const { size, warmup } = this.start;
    const { verifies } = this.link;
    const { context, error, length } = batch;
    const samples = this.#samples;
    let { begun, received, completed, posted } = this;
    let startedAt = begun === received ? performance.now() : this.#startedAt;
    let inTime = true;
    while (inTime && (received < total || completed < total)) {
      if (begun === received && begun < total && turn.isPosted) {
        begun++;
        if (injects) completed++;
        if (posted < total) {
          posted++;
          turn.rewind(SEND_AND_RECEIVE);
        } else {
          turn.rewind(SEND_ONLY);
        }
      }
      const count = queue.read(batch, SPIN_MICROSECONDS, turn);
      const before = received;
      for (let index = 0; index < count; index++) {
        if (error[index] !== 0) this.failAt(index, begun, received);
        if (context[index] === SEND) {
          completed++;
        } else {
          if (length[index] !== size) this.failAt(index, begun, received);
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
    this.keep(begun, received, completed, posted);
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
    const { queue, batch, turn, total, injects } = this;
    const { size, warmup } = this.start;
    const { verifies } = this.link;
    const { context, error, length } = batch;
    let { begun, received, completed, posted } = this;
    let inTime = true;
    while (inTime && (completed < total || !turn.isPosted)) {
      if (begun < received && turn.isPosted) {
        begun++;
        if (injects) completed++;
        if (posted < total) {
          posted++;
          turn.rewind(SEND_AND_RECEIVE);
        } else {
          turn.rewind(SEND_ONLY);
        }
      }
      // The last answer that is injected needs to be posted, and nobody answers it.
      const spin = completed < total ? SPIN_MICROSECONDS : 0;
      const count = queue.read(batch, spin, turn);
      const before = received;
      for (let index = 0; index < count; index++) {
        if (error[index] !== 0) this.failAt(index, begun, received);
        if (context[index] === SEND) {
          completed++;
        } else {
          if (length[index] !== size) this.failAt(index, begun, received);
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
    this.keep(begun, received, completed, posted);
    return completed >= total && turn.isPosted;
  }
}

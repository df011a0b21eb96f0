import { BatchExchange, RECEIVE, SEND, SPIN_MICROSECONDS } from './batch-exchange.js';
import type { Link } from './link.js';
import type { Message } from './protocol.js';

/** Bytes of the message with which the receiver acknowledges a window. */
export const ACKNOWLEDGEMENT_BYTES = 4;

/** How many acknowledgements the sender has receives for. */
const ACKNOWLEDGEMENTS_AHEAD = 2;

/** Keeps a window of messages in flight, and sends the next when the last is acknowledged. */
export class BandwidthSender extends BatchExchange {
  readonly #acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);
  readonly #windows: number;
  #startedAt = 0;
  #endedAt = 0;

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    this.#windows = start.warmup + start.iterations;
  }

  override get iteration(): number {
    return this.received;
  }

  /** From the first message that counts to the last acknowledgement. */
  get milliseconds(): number {
    return this.#endedAt - this.#startedAt;
  }

  override prepare(): void {
    while (this.posted < Math.min(this.#windows, ACKNOWLEDGEMENTS_AHEAD)) {
      if (!this.endpoint.postRecv(this.#acknowledgement, RECEIVE)) return;
      this.posted++;
    }
  }

  protected override advance(until: number): boolean {
    const { endpoint, queue, batch, peer, transmitBuffer } = this;
    const acknowledgement = this.#acknowledgement;
    const windows = this.#windows;
    const { warmup, window } = this.start;
    const { context, error } = batch;
    let { sent, received, completed, posted } = this;
    if (sent === 0 && warmup === 0) this.#startedAt = performance.now();
    let inTime = true;
    while (inTime && (received < windows || completed < windows * window)) {
      const allowed = Math.min(received + 1, windows) * window;
      let hasRoom = true;
      while (sent < allowed && hasRoom) {
        hasRoom = endpoint.postSend(transmitBuffer, peer, SEND);
        if (hasRoom) sent++;
      }
      if (posted < windows && posted < received + ACKNOWLEDGEMENTS_AHEAD) {
        if (endpoint.postRecv(acknowledgement, RECEIVE)) posted++;
      }
      const count = queue.read(batch, SPIN_MICROSECONDS);
      for (let index = 0; index < count; index++) {
        if (error[index] !== 0) {
          this.sent = sent;
          this.received = received;
          this.fail(index);
        }
        if (context[index] === SEND) {
          completed++;
        } else {
          received++;
          if (received === warmup) this.#startedAt = performance.now();
          if (received === windows) this.#endedAt = performance.now();
        }
      }
      inTime = performance.now() < until;
    }
    this.sent = sent;
    this.received = received;
    this.completed = completed;
    this.posted = posted;
    return received >= windows && completed >= windows * window;
  }
}

/** Keeps receives posted for a window, and acknowledges each window. */
export class BandwidthReceiver extends BatchExchange {
  readonly #acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);
  readonly #windows: number;
  readonly #total: number;

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    this.#windows = start.warmup + start.iterations;
    this.#total = this.#windows * start.window;
  }

  override get iteration(): number {
    return this.sent;
  }

  override prepare(): void {
    while (this.posted < this.start.window) {
      if (!this.endpoint.postRecv(this.receiveBuffer, RECEIVE)) return;
      this.posted++;
    }
  }

  protected override advance(until: number): boolean {
    const { endpoint, queue, batch, peer, receiveBuffer } = this;
    const acknowledgement = this.#acknowledgement;
    const windows = this.#windows;
    const total = this.#total;
    const { size, warmup, window } = this.start;
    const { context, error, length } = batch;
    let { sent, received, completed, posted } = this;
    let inTime = true;
    while (inTime && completed < windows) {
      let hasRoom = true;
      while (hasRoom && posted < total && posted < received + window) {
        hasRoom = endpoint.postRecv(receiveBuffer, RECEIVE);
        if (hasRoom) posted++;
      }
      if (received === (sent + 1) * window) {
        // Nothing can arrive before the window is acknowledged: the buffer is quiet.
        if (sent < warmup || sent === windows - 1) {
          this.sent = sent;
          this.verify();
        }
        if (endpoint.postSend(acknowledgement, peer, SEND)) sent++;
      }
      const count = queue.read(batch, SPIN_MICROSECONDS);
      for (let index = 0; index < count; index++) {
        const isWrong = error[index] !== 0 || (context[index] === RECEIVE && length[index] !== size);
        if (isWrong) {
          this.sent = sent;
          this.received = received;
          this.fail(index);
        }
        if (context[index] === SEND) completed++;
        else received++;
      }
      inTime = performance.now() < until;
    }
    this.sent = sent;
    this.received = received;
    this.completed = completed;
    this.posted = posted;
    return completed >= windows;
  }
}

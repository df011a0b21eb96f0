import type { Completion, Endpoint } from '../index.js';
import { ACKNOWLEDGEMENT_BYTES } from './bandwidth.js';
import { BenchError } from './errors.js';
import type { Exchange, Watch } from './exchange.js';
import type { Link } from './link.js';
import { checkPattern } from './pattern.js';
import type { Message } from './protocol.js';

const WATCH_MILLISECONDS = 100;

/** One end of a phase through the promise door, as a program would write it. */
abstract class AwaitedExchange implements Exchange {
  sent = 0;
  received = 0;
  iteration = 0;
  protected readonly link: Link;
  protected readonly endpoint: Endpoint;
  protected readonly start: Message<'start'>;
  protected readonly total: number;
  protected readonly transmitBuffer: Buffer;
  protected readonly receiveBuffer: Buffer;
  /** Receives that are awaited later than the operation that follows them. */
  protected outstanding: Promise<Completion>[] = [];

  constructor(link: Link, start: Message<'start'>) {
    this.link = link;
    this.endpoint = link.endpoint;
    this.start = start;
    this.total = start.warmup + start.iterations;
    this.transmitBuffer = link.transmitBuffer.subarray(0, start.size);
    this.receiveBuffer = link.receiveBuffer.subarray(0, start.size);
    this.receiveBuffer.fill(0);
  }

  get moved(): number {
    return this.sent + this.received;
  }

  abstract prepare(): void;
  protected abstract exchange(): Promise<void>;

  /** What awaits an operation cannot look at a clock: the watch closes the endpoint instead. */
  async run(watch: Watch): Promise<void> {
    let failure: unknown;
    const timer = setInterval(() => {
      try {
        watch.check();
      } catch (error) {
        failure = error;
        clearInterval(timer);
        this.endpoint.close();
      }
    }, WATCH_MILLISECONDS);
    try {
      await this.exchange();
    } catch (error) {
      // Their failure, when the endpoint closes, is no news any more.
      for (const receive of this.outstanding) receive.catch(() => undefined);
      throw failure ?? error;
    } finally {
      clearInterval(timer);
    }
  }

  protected receive(): Promise<Completion> {
    const receive = this.endpoint.recv(this.receiveBuffer);
    this.outstanding[0] = receive;
    return receive;
  }

  protected checkLength({ length }: Completion): void {
    this.received++;
    if (length === this.start.size) return;
    throw new BenchError(
      'INTEGRITY',
      `wrong data in ${this.#where}: ${length} bytes arrived where ${this.start.size} were due`,
    );
  }

  /** Checks and clears what arrived last, where the phase is not being timed. */
  protected verifyUntimed(): void {
    if (this.iteration >= this.start.warmup && this.iteration < this.total - 1) return;
    checkPattern(this.receiveBuffer, this.link.role === 'client' ? 'server' : 'client', this.#where);
    this.receiveBuffer.fill(0);
  }

  get #where(): string {
    return `${this.start.phase}, size ${this.start.size}, iteration ${this.iteration}`;
  }
}

/** Sends first, and takes the time of each round trip. */
export class AwaitedLatencyClient extends AwaitedExchange {
  readonly #samples: Float64Array;

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    this.#samples = new Float64Array(start.iterations);
  }

  /** The round trips that count, in milliseconds. */
  get samples(): Float64Array {
    return this.#samples.subarray(0, Math.max(0, this.iteration - this.start.warmup));
  }

  override prepare(): void {
    // Each receive is posted right before the message that it answers.
  }

  protected override async exchange(): Promise<void> {
    while (this.iteration < this.total) {
      const startedAt = performance.now();
      const answer = this.receive();
      this.sent++;
      await this.endpoint.send(this.transmitBuffer, this.link.peer);
      const completion = await answer;
      const milliseconds = performance.now() - startedAt;
      this.checkLength(completion);
      this.verifyUntimed();
      const counted = this.iteration - this.start.warmup;
      if (counted >= 0) this.#samples[counted] = milliseconds;
      this.iteration++;
    }
  }
}

/** Answers each message with one of its own. */
export class AwaitedLatencyServer extends AwaitedExchange {
  #next: Promise<Completion> | undefined;

  override prepare(): void {
    this.#next = this.receive();
  }

  protected override async exchange(): Promise<void> {
    while (this.#next) {
      this.checkLength(await this.#next);
      this.verifyUntimed();
      this.#next = this.iteration < this.total - 1 ? this.receive() : undefined;
      this.sent++;
      await this.endpoint.send(this.transmitBuffer, this.link.peer);
      this.iteration++;
    }
  }
}

/** Sends a window of messages at once, and the next when that is acknowledged. */
export class AwaitedBandwidthSender extends AwaitedExchange {
  readonly #acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);
  #startedAt = 0;
  #endedAt = 0;

  /** From the first message that counts to the last acknowledgement. */
  get milliseconds(): number {
    return this.#endedAt - this.#startedAt;
  }

  override prepare(): void {
    // Each acknowledgement's receive is posted right before its window.
  }

  protected override async exchange(): Promise<void> {
    while (this.iteration < this.total) {
      if (this.iteration === this.start.warmup) this.#startedAt = performance.now();
      const operations: Promise<Completion>[] = [this.endpoint.recv(this.#acknowledgement)];
      for (let index = 0; index < this.start.window; index++) {
        operations.push(this.endpoint.send(this.transmitBuffer, this.link.peer));
        this.sent++;
      }
      await Promise.all(operations);
      this.received++;
      this.iteration++;
    }
    this.#endedAt = performance.now();
  }
}

/** Receives a window of messages, and acknowledges it. */
export class AwaitedBandwidthReceiver extends AwaitedExchange {
  readonly #acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);

  override prepare(): void {
    this.outstanding = Array.from({ length: this.start.window }, () => this.endpoint.recv(this.receiveBuffer));
  }

  protected override async exchange(): Promise<void> {
    while (this.iteration < this.total) {
      for (const completion of await Promise.all(this.outstanding)) this.checkLength(completion);
      this.verifyUntimed();
      if (this.iteration < this.total - 1) this.prepare();
      this.sent++;
      await this.endpoint.send(this.#acknowledgement, this.link.peer);
      this.iteration++;
    }
  }
}

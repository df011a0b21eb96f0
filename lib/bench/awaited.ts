import { BenchError } from './errors.js';
import type { Completion, Endpoint } from '../index.js';
import type { Exchange, Watch } from './exchange.js';
import type { Link, Stream } from './link.js';
import { isOneSided } from './operations.js';
import { checkPattern } from './pattern.js';
import type { Message } from './protocol.js';

const WATCH_MILLISECONDS = 100;
const DATA_TAG = 1n;

/** One end of a phase through the promise door, as a program would write it. */
export abstract class AwaitedExchange implements Exchange {
  sent = 0;
  received = 0;
  iteration = 0;
  protected readonly link: Link;
  protected readonly start: Message<'start'>;
  protected readonly total: number;
  protected readonly transmitBuffer: Buffer;
  protected readonly receiveBuffer: Buffer;
  /** Receives that are awaited later than the operation that follows them. */
  protected outstanding: Promise<Completion>[] = [];

  constructor(link: Link, start: Message<'start'>) {
    this.link = link;
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

  /** What awaits an operation cannot look at a clock: the watch closes the endpoints instead. */
  async run(watch: Watch): Promise<void> {
    let failure: unknown;
    const timer = setInterval(() => {
      try {
        watch.check();
      } catch (error) {
        failure = error;
        clearInterval(timer);
        for (const { endpoint } of this.link.streams) endpoint.close();
      }
    }, WATCH_MILLISECONDS);
    try {
      await this.exchange();
    } catch (error) {
      // Their failure, when the endpoints close, is no news any more.
      for (const receive of this.outstanding) receive.catch(() => undefined);
      throw failure ?? error;
    } finally {
      clearInterval(timer);
    }
  }

  /** Moves a message's data: what the session's operation is. A read brings it to `buffer`. */
  protected move({ endpoint, peer }: Stream, buffer = this.receiveBuffer): Promise<Completion> {
    const { operation, writable, readable } = this.link;
    this.sent++;
    switch (operation) {
      case 'msg':
        return endpoint.send(this.transmitBuffer, peer);
      case 'tagged':
        return endpoint.tsend(this.transmitBuffer, peer, DATA_TAG);
      case 'write':
        return (endpoint as Endpoint).write(this.transmitBuffer, peer, writable!, { flags: ['FI_DELIVERY_COMPLETE'] });
      case 'writedata':
        return (endpoint as Endpoint).write(this.transmitBuffer, peer, writable!, { data: 1n });
      case 'read':
        return (endpoint as Endpoint).read(buffer, peer, readable!);
    }
  }

  /** The arrival of a message's data. */
  protected receive({ endpoint }: Stream, buffer = this.receiveBuffer): Promise<Completion> {
    const { operation } = this.link;
    const receive =
      operation === 'writedata'
        ? this.link.queue.remoteWrite()
        : operation === 'tagged'
          ? endpoint.trecv(buffer, DATA_TAG)
          : endpoint.recv(buffer);
    this.outstanding.push(receive);
    return receive;
  }

  protected checkLength({ length }: Completion): void {
    this.received++;
    // Not every provider says how much was written.
    if (length === this.start.size || this.link.operation === 'writedata') return;
    throw new BenchError(
      'INTEGRITY',
      `wrong data in ${this.where}: ${length} bytes arrived where ${this.start.size} were due`,
    );
  }

  /** Checks and clears what arrived last, where the phase is not being timed, or everything is to be checked. */
  protected verifyUntimed(buffers: readonly Buffer[] = [this.receiveBuffer]): void {
    const isTimed = this.iteration >= this.start.warmup && this.iteration < this.total - 1;
    if (isTimed && !this.link.verifies) return;
    for (const buffer of buffers) {
      checkPattern(buffer, this.link.sender, this.where);
      buffer.fill(0);
    }
  }

  protected get where(): string {
    return `${this.start.phase}, size ${this.start.size}, iteration ${this.iteration}`;
  }
}

/** Sends first, and takes the time of each round trip, or of each operation where the other end has no part in it. */
export class AwaitedLatencyClient extends AwaitedExchange {
  readonly #samples: Float64Array;

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    this.#samples = new Float64Array(start.iterations);
  }

  /** Those that count, in milliseconds. */
  get samples(): Float64Array {
    return this.#samples.subarray(0, Math.max(0, this.iteration - this.start.warmup));
  }

  override prepare(): void {
    // Each receive is posted right before the message that it answers.
  }

  protected override async exchange(): Promise<void> {
    const { stream, operation } = this.link;
    const isAlone = isOneSided(operation);
    while (this.iteration < this.total) {
      const startedAt = performance.now();
      this.outstanding = [];
      const answer = isAlone ? undefined : this.receive(stream);
      await this.move(stream);
      const completion = await answer;
      const milliseconds = performance.now() - startedAt;
      if (completion) this.checkLength(completion);
      if (operation !== 'write') this.verifyUntimed();
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
    this.#next = this.receive(this.link.stream);
  }

  protected override async exchange(): Promise<void> {
    const { stream } = this.link;
    while (this.#next) {
      this.checkLength(await this.#next);
      this.verifyUntimed();
      this.outstanding = [];
      this.#next = this.iteration < this.total - 1 ? this.receive(stream) : undefined;
      await this.move(stream);
      this.iteration++;
    }
  }
}

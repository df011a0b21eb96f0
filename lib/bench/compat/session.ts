/** What sessions with C's programs have in common: round trips of one message, and an explanation instead of a hang. */
import { FabricError } from '../../index.js';
import { BenchError } from '../errors.js';
import { checkTimeout, DEFAULT_TIMEOUT } from '../parameters.js';
import { latencyStatistics } from '../statistics.js';
import { ByteChannel } from './byte-channel.js';
import { acceptControl, connectControl } from './control.js';
import { isTruncation } from './data-path.js';
import { chooseInfo, type ClassicLink } from './open.js';
import type { ClassicOptions } from './options.js';
import { ClassicError, describe, type ClassicResult, type CompatProgram } from './result.js';

/** Makes the control connection, runs a session over it, and says what went wrong. */
export async function runSession(
  options: ClassicOptions,
  make: (channel: ByteChannel, timeout: number) => CompatSession,
): Promise<ClassicResult> {
  const { timeout = DEFAULT_TIMEOUT } = options;
  checkTimeout(timeout);
  // C's servers find out when a client has come
  if (options.host === undefined) chooseInfo(options);
  const socket = options.host === undefined ? await acceptControl(options) : await connectControl(options, timeout);
  const channel = new ByteChannel(socket, timeout, options);
  try {
    return await make(channel, timeout).run();
  } catch (error) {
    throw await explain(error, channel);
  } finally {
    channel.close();
  }
}

/** One end of a session. What differs between C's programs is for those that extend it. */
export abstract class CompatSession {
  protected readonly isClient: boolean;
  protected link!: ClassicLink;
  #result!: ClassicResult;

  constructor(
    protected readonly program: CompatProgram,
    protected readonly channel: ByteChannel,
    protected readonly options: ClassicOptions,
    protected readonly timeout: number,
  ) {
    this.isClient = options.host !== undefined;
  }

  async run(): Promise<ClassicResult> {
    this.link = await this.open();
    try {
      this.#result = describe(this.program, this.link, this.channel, this.options);
      for (const size of this.sizes()) await this.#measure(size);
      await this.finish();
      return this.#result;
    } catch (error) {
      throw this.#withPartial(error);
    } finally {
      this.link.close();
    }
  }

  /** Opens the data path and exchanges addresses. */
  protected abstract open(): Promise<ClassicLink>;
  protected abstract sizes(): number[];
  /** Round trips of a size: those that count, and those before them. */
  protected abstract iterations(size: number): { counted: number; warmup: number };
  /** Both ends are ready for a size. */
  protected abstract sync(size: number): Promise<void>;
  /** After a size; returns how many round trips the other end has seen. */
  protected abstract count(size: number, iterations: number): Promise<number>;
  /** Tells the other end that all sizes are done, and awaits that it is through. */
  protected abstract finish(): Promise<void>;
  /** What -c or -v sends as message number `index`. */
  protected abstract fill(message: Buffer, index: number): void;
  /** Why a message does not come, where more is known than that. */
  protected abstract explainSilence(size: number, receivedBefore: number): Error | undefined;
  /** What the other end has to be started with. */
  protected abstract advice(): string;
  /** What the message that arrived instead of one of `size` bytes says. */
  protected explainLength(size: number): string {
    return `${this.link.path.length} bytes arrived where ${size} were due: -S differs`;
  }

  async #measure(size: number): Promise<void> {
    await this.sync(size);
    this.channel.phase = `data (${size} bytes)`;
    const { counted, warmup } = this.iterations(size);
    const samples = new Float64Array(counted);
    const before = this.link.path.received;
    for (let iteration = -warmup; iteration < 0; iteration++) await this.#roundTrip(size, iteration, before);
    const startedAt = performance.now();
    let last = startedAt;
    for (let iteration = 0; iteration < counted; iteration++) {
      await this.#roundTrip(size, iteration, before);
      const now = performance.now();
      samples[iteration] = now - last;
      last = now;
    }
    const microseconds = Math.round((last - startedAt) * 1000);
    const acknowledged = await this.count(size, counted);
    const latency = latencyStatistics(samples);
    this.#result.measurements.push({
      size,
      iterations: counted,
      acknowledged,
      microseconds,
      ...(latency && { latency }),
    });
  }

  async #roundTrip(size: number, iteration: number, before: number): Promise<void> {
    if (this.isClient) await this.#send(size, iteration);
    await this.#receive(size, iteration, before);
    if (!this.isClient) await this.#send(size, iteration);
  }

  async #send(size: number, iteration: number): Promise<void> {
    const { path } = this.link;
    if (this.options.verify === true) this.fill(path.transmitBuffer.subarray(0, size), path.sent);
    const stalled = (): Error => this.#stalled(size, iteration);
    await path.until(() => path.post(size), this.channel, this.timeout, stalled);
    await path.until(() => path.isSent, this.channel, this.timeout, stalled);
  }

  async #receive(size: number, iteration: number, before: number): Promise<void> {
    const { path } = this.link;
    await path.until(
      () => path.hasMessage,
      this.channel,
      this.timeout,
      () => this.explainSilence(size, before) ?? this.#stalled(size, iteration),
    );
    path.take();
    if (path.length !== size) {
      throw this.mismatch(this.explainLength(size));
    }
    // neither program fills what does not count
    if (this.options.verify === true && iteration >= 0) this.#verify(size, iteration);
  }

  #verify(size: number, iteration: number): void {
    const message = this.link.path.receiveBuffer.subarray(0, size);
    const expected = Buffer.alloc(size);
    // counted from 0; the message is taken already
    this.fill(expected, this.link.path.received - 1);
    if (message.equals(expected)) return;
    const wrong = message.findIndex((byte, offset) => byte !== expected[offset]);
    const isBlank = message.every((byte) => byte === 0);
    if (isBlank) throw this.mismatch('the other end sends zeros: it does not check, and this end does');
    throw new BenchError(
      'INTEGRITY',
      `wrong data in size ${size}, iteration ${iteration}: byte ${wrong} of ${size} is ${message[wrong]}`,
      { hint: 'checking has to be on at both ends' },
    );
  }

  #stalled(size: number, iteration: number): BenchError {
    const { sent, received } = this.link.path;
    return new BenchError(
      'STALLED',
      `stalled in data: size ${size}, iteration ${iteration}; sent ${sent}, received ${received}; ` +
        `likely provider, ${this.program === 'fabtests' ? '-S, -I or -w' : '-S, -I or -m'} differ`,
      { hint: this.advice() },
    );
  }

  protected mismatch(message: string): BenchError {
    return new BenchError('MISMATCH', message, { hint: this.advice() });
  }

  #withPartial(error: unknown): unknown {
    const { received, receiveBuffer } = this.link.path;
    const known = isTruncation(error)
      ? this.mismatch(
          `a message was longer than its receive of ${receiveBuffer.length} bytes in ${this.channel.phase}, ` +
            `after ${received} messages: -S differs, or the other end is no ${this.program}`,
        )
      : error;
    if (!(known instanceof BenchError)) return known;
    const wrapped = new ClassicError(known.code, known.message, {
      ...(known.hint !== undefined && { hint: known.hint }),
      cause: known,
    });
    wrapped.classic = this.#result;
    return wrapped;
  }
}

/** A dead peer shows first as a failed operation; the control connection says so right after. */
async function explain(error: unknown, channel: ByteChannel): Promise<unknown> {
  if (!(error instanceof FabricError)) return error;
  const deadline = performance.now() + 500;
  while (!channel.failure && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  return channel.failure ?? new BenchError('TRANSFER_FAILED', `${error.message} (${error.code})`, { cause: error });
}

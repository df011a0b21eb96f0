/** C's fi_pingpong, either end of it: same bytes on both connections, and an explanation instead of a hang. */
import { FabricError } from '../../index.js';
import { providerOf } from '../candidates.js';
import { BenchError } from '../errors.js';
import { checkTimeout, DEFAULT_TIMEOUT } from '../parameters.js';
import { latencyStatistics } from '../statistics.js';
import { ByteChannel } from './byte-channel.js';
import { acceptControl, connectControl } from './control.js';
import { acceptConnection, limit, openConnected, openConnectionless, type ClassicLink } from './open.js';
import { classicSizes, commandForPeer, type ClassicOptions } from './options.js';
import { fillClassic, findWrongByte } from './pattern.js';
import { ClassicError, describe, type ClassicResult } from './result.js';

const FIN = Buffer.from('fin\0', 'latin1');
const PARTING_MILLISECONDS = 1000;

/**
 * Speaks to a fi_pingpong, of C or of this package: with `host` as its client, without as its server.
 *
 * Nothing is negotiated: both ends have to be started with the same provider, endpoint type, operation, sizes,
 * iterations and checking. What differs is found where the protocol lets it be found, and explained.
 */
export async function classicPingpong(options: ClassicOptions = {}): Promise<ClassicResult> {
  const { timeout = DEFAULT_TIMEOUT } = options;
  checkTimeout(timeout);
  const socket = options.host === undefined ? await acceptControl(options) : await connectControl(options, timeout);
  const channel = new ByteChannel(socket, timeout, options.signal);
  try {
    return await new Session(channel, options, timeout).run();
  } catch (error) {
    throw await explain(error, channel);
  } finally {
    channel.close();
  }
}

class Session {
  readonly #channel: ByteChannel;
  readonly #options: ClassicOptions;
  readonly #timeout: number;
  readonly #isClient: boolean;
  #link!: ClassicLink;
  #result!: ClassicResult;
  /** Numbers of the messages that were sent and received while -c counts them. */
  #filled = 0;
  #checked = 0;

  constructor(channel: ByteChannel, options: ClassicOptions, timeout: number) {
    this.#channel = channel;
    this.#options = options;
    this.#timeout = timeout;
    this.#isClient = options.host !== undefined;
  }

  async run(): Promise<ClassicResult> {
    this.#link = await this.#open();
    try {
      this.#result = describe(this.#link, this.#channel, this.#options);
      for (const size of classicSizes(this.#options, limit(this.#link.info, this.#options))) await this.#measure(size);
      await this.#finish();
      return this.#result;
    } catch (error) {
      throw this.#withPartial(error);
    } finally {
      this.#link.close();
    }
  }

  #open(): Promise<ClassicLink> {
    if (this.#options.endpointType !== 'msg') return openConnectionless(this.#channel, this.#options);
    if (this.#isClient) return openConnected(this.#channel, this.#options, this.#timeout);
    return acceptConnection(this.#channel, this.#options, this.#timeout);
  }

  async #measure(size: number): Promise<void> {
    const { iterations = 10 } = this.#options;
    await this.#sync(size);
    this.#channel.phase = `data (${size} bytes)`;
    const samples = new Float64Array(iterations);
    const startedAt = performance.now();
    const before = this.#link.path.received;
    let last = startedAt;
    for (let iteration = 0; iteration < iterations; iteration++) {
      if (this.#isClient) await this.#send(size, iteration);
      await this.#receive(size, iteration, before);
      if (!this.#isClient) await this.#send(size, iteration);
      const now = performance.now();
      samples[iteration] = now - last;
      last = now;
    }
    const microseconds = Math.round((last - startedAt) * 1000);
    const acknowledged = await this.#count(size, iterations);
    const latency = latencyStatistics(samples);
    this.#result.measurements.push({ size, iterations, acknowledged, microseconds, ...(latency && { latency }) });
  }

  async #sync(size: number): Promise<void> {
    this.#channel.phase = `sync (${size} bytes)`;
    if (this.#isClient) this.#channel.write('q\0');
    // Who is through with all sizes says so over the fabric, and syncs no more.
    const word = await this.#control(2, () => {
      if (!this.#link.path.hasMessage || !this.#isFin()) return;
      throw this.#mismatch('the other end has fewer sizes, and is through: -S differs');
    });
    if (word !== (this.#isClient ? 'a' : 'q')) throw this.#outOfStep(word);
    if (!this.#isClient) this.#channel.write('a\0');
  }

  async #count(size: number, iterations: number): Promise<number> {
    this.#channel.phase = `count (${size} bytes)`;
    if (this.#isClient) {
      const text = Buffer.alloc(10);
      text.write(String(iterations), 'latin1');
      this.#channel.write(text);
      const word = await this.#control(7);
      if (word !== 'cnt ok') throw this.#outOfStep(word);
      return iterations;
    }
    const word = await this.#control(10);
    if (!/^\d+$/.test(word)) throw this.#outOfStep(word);
    this.#channel.write('cnt ok\0');
    return Number(word);
  }

  /** A word of the control connection. */
  async #control(length: number, check?: () => void): Promise<string> {
    const bytes = await this.#link.path.progressUntil(this.#channel.read(length), check);
    return bytes.toString('latin1').replace(/\0.*$/s, '');
  }

  /** Whether the message that arrived last is the one that ends a session. */
  #isFin(): boolean {
    const { length, receiveBuffer } = this.#link.path;
    return length === FIN.length && receiveBuffer.subarray(0, FIN.length).equals(FIN);
  }

  async #send(size: number, iteration: number): Promise<void> {
    const { path } = this.#link;
    if (this.#options.verify === true) fillClassic(path.transmitBuffer.subarray(0, size), this.#filled++);
    const stalled = (): Error => this.#stalled(size, iteration);
    await path.until(() => path.post(size), this.#channel, this.#timeout, stalled);
    await path.until(() => path.isSent, this.#channel, this.#timeout, stalled);
  }

  async #receive(size: number, iteration: number, before: number): Promise<void> {
    const { path } = this.#link;
    await path.until(
      () => path.hasMessage,
      this.#channel,
      this.#timeout,
      () => this.#stalledOrDone(size, iteration, before),
    );
    path.take();
    if (path.length !== size) {
      if (this.#isFin()) throw this.#mismatch(`the other end was through at size ${size}: -I or -S differ`);
      throw this.#mismatch(`${path.length} bytes arrived where ${size} were due: -S differs`);
    }
    if (this.#options.verify === true) this.#verify(size, iteration);
  }

  #verify(size: number, iteration: number): void {
    const message = this.#link.path.receiveBuffer.subarray(0, size);
    const wrong = findWrongByte(message, this.#checked++);
    if (wrong < 0) return;
    const isBlank = message.every((byte) => byte === 0);
    if (isBlank) throw this.#mismatch('the other end sends zeros: -c is on at this end only');
    throw new BenchError(
      'INTEGRITY',
      `wrong data in size ${size}, iteration ${iteration}: byte ${wrong} of ${size} is ${message[wrong]}`,
      { hint: '-c has to be on at both ends' },
    );
  }

  /** Both tell each other over the fabric that they are through, and make progress until the other one has gone. */
  async #finish(): Promise<void> {
    const { path } = this.#link;
    this.#channel.phase = 'fin';
    FIN.copy(path.transmitBuffer);
    const stalled = (): Error =>
      this.#channel.waiting.length > 0
        ? this.#mismatch('the other end goes on with another size: -S differs')
        : new BenchError(
            'STALLED',
            `stalled in fin: ${path.hasMessage ? 'it was not taken' : 'none came'} within ${this.#timeout / 1000} s`,
          );
    await path.until(() => path.post(FIN.length), this.#channel, this.#timeout, stalled);
    // Its control connection may be closed before we have read its last message.
    await path
      .until(() => path.isSent && path.hasMessage, this.#channel, this.#timeout, stalled)
      .catch((error: unknown) => {
        if (!path.hasMessage) throw error;
      });
    this.#channel.phase = 'close';
    await path.progressUntil(this.#channel.finish(PARTING_MILLISECONDS)).catch(() => undefined);
  }

  #stalledOrDone(size: number, iteration: number, before: number): Error {
    const word = this.#channel.waiting.toString('latin1').replace(/\0.*$/s, '');
    if (!this.#isClient && /^\d+$/.test(word)) {
      const got = this.#link.path.received - before;
      return this.#mismatch(
        `the client has ended size ${size} after ${word} round trips, of which ${got} came here: -I differs`,
      );
    }
    return this.#stalled(size, iteration);
  }

  #stalled(size: number, iteration: number): BenchError {
    const { sent, received } = this.#link.path;
    return new BenchError(
      'STALLED',
      `stalled in data: size ${size}, iteration ${iteration}; sent ${sent}, received ${received}; ` +
        'likely provider, -S, -I or -m differ',
      { hint: this.#advice() },
    );
  }

  #mismatch(message: string): BenchError {
    return new BenchError('MISMATCH', message, { hint: this.#advice() });
  }

  #outOfStep(word: string): BenchError {
    return this.#mismatch(
      `the other end is at another step in ${this.#channel.phase}: it said ${JSON.stringify(word)}`,
    );
  }

  /** What the other end has to be started with. rdm of `tcp` is not the same on the wire with each libfabric. */
  #advice(): string {
    const { info } = this.#link;
    const exact = { ...this.#options, provider: providerOf(info), iterations: this.#options.iterations ?? 10 };
    return `run: ${commandForPeer(exact, this.#channel.localAddress)} (this end uses ${String(info.epAttr.protocol)})`;
  }

  #withPartial(error: unknown): unknown {
    const { size, received } = { size: this.#channel.phase, received: this.#link.path.received };
    const isTruncated = error instanceof FabricError && error.code === 'FI_ETRUNC';
    const known = isTruncated
      ? this.#mismatch(`a message was too long for its receive in ${size}, after ${received}: -S differs`)
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

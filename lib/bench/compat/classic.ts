/** C's fi_pingpong, either end of it: same bytes on both connections, and an explanation instead of a hang. */
import { providerOf } from '../candidates.js';
import { BenchError } from '../errors.js';
import type { ByteChannel } from './byte-channel.js';
import { acceptConnection, limit, openConnected, openConnectionless, type ClassicLink } from './open.js';
import { classicSizes, commandForPeer, type ClassicOptions } from './options.js';
import { fillClassic } from './pattern.js';
import type { ClassicResult } from './result.js';
import { CompatSession, runSession } from './session.js';

const FIN = Buffer.from('fin\0', 'latin1');
const PARTING_MILLISECONDS = 1000;
/** For a wait that shall not end with the control connection. */
const WELL = { failure: undefined };

/**
 * Speaks to a fi_pingpong, of C or of this package: with `host` as its client, without as its server.
 *
 * Nothing is negotiated: both ends have to be started with the same provider, endpoint type, operation, sizes,
 * iterations and checking. What differs is found where the protocol lets it be found, and explained.
 */
export function classicPingpong(options: ClassicOptions = {}): Promise<ClassicResult> {
  return runSession(options, (channel, timeout) => new ClassicSession(channel, options, timeout));
}

class ClassicSession extends CompatSession {
  constructor(channel: ByteChannel, options: ClassicOptions, timeout: number) {
    super('fi_pingpong', channel, options, timeout);
  }

  protected open(): Promise<ClassicLink> {
    if (this.options.endpointType !== 'msg') return openConnectionless(this.channel, this.options);
    if (this.isClient) return openConnected(this.channel, this.options, this.timeout);
    return acceptConnection(this.channel, this.options, this.timeout);
  }

  protected sizes(): number[] {
    return classicSizes(this.options, limit(this.link.info, this.options));
  }

  protected iterations(): { counted: number; warmup: number } {
    return { counted: this.options.iterations ?? 10, warmup: 0 };
  }

  protected fill(message: Buffer, index: number): void {
    fillClassic(message, index);
  }

  protected async sync(size: number): Promise<void> {
    this.channel.phase = `sync (${size} bytes)`;
    if (this.isClient) this.channel.write('q\0');
    // Who is through with all sizes says so over the fabric, and syncs no more.
    const word = await this.#control(2, () => {
      if (!this.link.path.hasMessage || !this.#isFin()) return;
      throw this.mismatch('the other end has fewer sizes, and is through: -S differs');
    });
    if (word !== (this.isClient ? 'a' : 'q')) throw this.#outOfStep(word);
    if (!this.isClient) this.channel.write('a\0');
  }

  protected async count(size: number, iterations: number): Promise<number> {
    this.channel.phase = `count (${size} bytes)`;
    if (this.isClient) {
      const text = Buffer.alloc(10);
      text.write(String(iterations), 'latin1');
      this.channel.write(text);
      const word = await this.#control(7);
      if (word !== 'cnt ok') throw this.#outOfStep(word);
      return iterations;
    }
    const word = await this.#control(10);
    if (!/^\d+$/.test(word)) throw this.#outOfStep(word);
    this.channel.write('cnt ok\0');
    return Number(word);
  }

  /** A word of the control connection. */
  async #control(length: number, check?: () => void): Promise<string> {
    const bytes = await this.link.path.progressUntil(this.channel.read(length), check);
    return bytes.toString('latin1').replace(/\0.*$/s, '');
  }

  /** Whether the message that arrived last is the one that ends a session. */
  #isFin(): boolean {
    const { length, receiveBuffer } = this.link.path;
    return length === FIN.length && receiveBuffer.subarray(0, FIN.length).equals(FIN);
  }

  protected override explainLength(size: number): string {
    return this.#isFin() ? `the other end was through at size ${size}: -I or -S differ` : super.explainLength(size);
  }

  /** Both tell each other over the fabric that they are through, and make progress until the other one has gone. */
  protected async finish(): Promise<void> {
    const { path } = this.link;
    this.channel.phase = 'fin';
    FIN.copy(path.transmitBuffer);
    const seconds = this.timeout / 1000;
    const stalled = (): Error => {
      if (this.channel.waiting.length > 0) return this.mismatch('the other end goes on with another size: -S differs');
      const what = path.hasMessage ? 'it was not taken' : 'none came';
      const hint = this.advice();
      return new BenchError('STALLED', `stalled in fin: ${what} within ${seconds} s; likely -S differs`, { hint });
    };
    await path.until(() => path.post(FIN.length), this.channel, this.timeout, stalled);
    await path
      .until(() => path.isSent && path.hasMessage, this.channel, this.timeout, stalled)
      .catch((error: unknown) => this.#awaitLastMessage(error));
    this.channel.phase = 'close';
    await path.progressUntil(this.channel.finish(PARTING_MILLISECONDS)).catch(() => undefined);
  }

  /** The other end closes its control connection while its last message may still be on its way. */
  async #awaitLastMessage(error: unknown): Promise<void> {
    const { path } = this.link;
    if (path.hasMessage) return;
    if (!(error instanceof BenchError) || error.code !== 'PEER_LOST') throw error;
    await path.until(
      () => path.hasMessage,
      WELL,
      PARTING_MILLISECONDS,
      () => error,
    );
  }

  protected explainSilence(size: number, before: number): Error | undefined {
    const word = this.channel.waiting.toString('latin1').replace(/\0.*$/s, '');
    if (!this.isClient && /^\d+$/.test(word)) {
      const got = this.link.path.received - before;
      return this.mismatch(
        `the client has ended size ${size} after ${word} round trips, of which ${got} came here: -I differs`,
      );
    }
    return undefined;
  }

  #outOfStep(word: string): BenchError {
    return this.mismatch(`the other end is at another step in ${this.channel.phase}: it said ${JSON.stringify(word)}`);
  }

  /** What the other end has to be started with. rdm of `tcp` is not the same on the wire with each libfabric. */
  protected advice(): string {
    const { info } = this.link;
    const exact = { ...this.options, provider: providerOf(info), iterations: this.options.iterations ?? 10 };
    return `run: ${commandForPeer(exact, this.channel.localAddress)} (this end uses ${String(info.epAttr.protocol)})`;
  }
}

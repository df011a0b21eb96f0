/** `fi_rdm_pingpong -b` of fabtests 1.22 and later, either end of it: everything but the data goes over TCP. */
import { Endpoint } from '../../index.js';
import { providerOf } from '../candidates.js';
import { BenchError } from '../errors.js';
import type { ByteChannel } from './byte-channel.js';
import { DataPath } from './data-path.js';
import { chooseInfo, type ClassicLink } from './open.js';
import { classicSizes, FABTESTS_PORT, type ClassicOptions } from './options.js';
import { fillClassic } from './pattern.js';
import type { ClassicResult } from './result.js';
import { CompatSession, runSession } from './session.js';

/** What `fi_rdm_pingpong -b` takes, by names instead of letters. */
export interface FabtestsOptions extends Omit<
  ClassicOptions,
  'endpointType' | 'operation' | 'ipv6' | 'source' | 'sourcePort'
> {
  /** `-w`: round trips of each size before those that count. @defaultValue 10 */
  warmup?: number;
}

/** Addresses are sent in blocks of this size, and receives are no smaller. */
const BLOCK = 1024;
const LARGEST = 8 * 1024 ** 2;
const READY = Buffer.alloc(4);
const PARTING_MILLISECONDS = 1000;

/**
 * Speaks to a `fi_rdm_pingpong -b`, of fabtests 1.22 or later: with `host` as its client, without as its server.
 * Nothing is negotiated: both ends have to be started with the same provider, sizes, iterations and warm-up.
 */
export function fabtestsPingpong(options: FabtestsOptions = {}): Promise<ClassicResult> {
  const { warmup = 10, port = FABTESTS_PORT, ...rest } = options;
  const common: ClassicOptions = { ...rest, port, endpointType: 'rdm' };
  return runSession(common, (channel, timeout) => new FabtestsSession(channel, common, timeout, warmup));
}

class FabtestsSession extends CompatSession {
  readonly #warmup: number;

  constructor(channel: ByteChannel, options: ClassicOptions, timeout: number, warmup: number) {
    super('fabtests', channel, options, timeout);
    this.#warmup = warmup;
  }

  protected async open(): Promise<ClassicLink> {
    const { channel, options } = this;
    channel.phase = 'ready';
    if (this.isClient) channel.write(READY);
    await this.#ready();
    channel.phase = 'endpoint set-up';
    const info = chooseInfo(options);
    const endpoint = Endpoint.open(info, { progress: 'manual' });
    try {
      const largest = typeof options.size === 'number' ? options.size : LARGEST;
      const path = new DataPath(endpoint, false, Math.min(Math.max(largest, BLOCK), info.epAttr.maxMsgSize));
      if (!this.isClient) channel.write(READY);
      channel.phase = 'address exchange';
      const block = Buffer.alloc(BLOCK);
      endpoint.address.copy(block);
      channel.write(block);
      const theirs = await path.progressUntil(channel.read(BLOCK));
      // the length of an address is not said, but each end has the same kind
      const remote = theirs.subarray(0, endpoint.address.length);
      path.peer = endpoint.addressVector.insert(remote);
      const close = (): void => {
        endpoint.close();
      };
      return { info, path, local: endpoint.address, remote, close };
    } catch (error) {
      endpoint.close();
      throw error;
    }
  }

  protected sizes(): number[] {
    return fabtestsSizes(this.options, this.link.info.epAttr.maxMsgSize);
  }

  protected iterations(size: number): { counted: number; warmup: number } {
    const usual = size >= 1024 ** 2 ? 100 : size >= 64 * 1024 ? 1000 : 10_000;
    return { counted: this.options.iterations ?? usual, warmup: this.#warmup };
  }

  protected fill(message: Buffer): void {
    fillClassic(message, 0);
  }

  protected async sync(size: number): Promise<void> {
    this.channel.phase = `sync (${size} bytes)`;
    if (this.isClient) this.channel.write('a');
    const word = await this.link.path.progressUntil(this.channel.read(1));
    if (word[0] !== 'a'.charCodeAt(0)) throw this.mismatch('the other end is through: it has fewer sizes, -S differs');
    if (!this.isClient) this.channel.write('a');
  }

  protected count(_size: number, iterations: number): Promise<number> {
    return Promise.resolve(iterations);
  }

  protected explainSilence(size: number, before: number): Error | undefined {
    if (this.channel.waiting.length === 0) return undefined;
    const got = this.link.path.received - before;
    return this.mismatch(`the other end has ended size ${size} after ${got} round trips: -I, -w or -S differ`);
  }

  protected async finish(): Promise<void> {
    this.channel.phase = 'end';
    if (this.isClient) this.channel.write(READY);
    const word = await this.link.path.progressUntil(this.channel.read(1));
    if (word[0] !== READY[0]) throw this.mismatch('the other end goes on with another size: -S differs');
    await this.link.path.progressUntil(this.channel.read(READY.length - 1));
    if (!this.isClient) this.channel.write(READY);
    await this.link.path.progressUntil(this.channel.finish(PARTING_MILLISECONDS)).catch(() => undefined);
  }

  protected advice(): string {
    const { info } = this.link;
    const { domain, iterations, size, verify, port } = this.options;
    const words = ['fi_rdm_pingpong', `-b=${port}`, '-p', `"${providerOf(info)}"`, '-w', String(this.#warmup)];
    if (domain !== undefined) words.push('-d', domain);
    if (iterations !== undefined) words.push('-I', String(iterations));
    if (size !== undefined) words.push('-S', String(size));
    if (verify === true) words.push('-v');
    if (!this.isClient) words.push(this.channel.localAddress);
    return `run: ${words.join(' ')} (this end uses ${String(info.epAttr.protocol)})`;
  }

  /** The first words of a program since 1.22. Those before it send their address at once. */
  async #ready(): Promise<void> {
    const word = await this.channel.read(READY.length);
    if (word.equals(READY)) return;
    throw new BenchError('MISMATCH', 'the other end is no fi_rdm_pingpong -b of fabtests 1.22 or later', {
      hint: 'both ends have to be that program with -b; before 1.22 it spoke otherwise',
    });
  }
}

/** Without -S those of fi_pingpong; all of them are each power of two to 8 MiB, and half of each more. */
function fabtestsSizes(options: ClassicOptions, limit: number): number[] {
  if (options.size !== 'all') return classicSizes(options, limit);
  const sizes = Array.from({ length: 23 }, (_, power) => (power === 0 ? [1] : [2 ** power, 3 * 2 ** (power - 1)]));
  return [...sizes.flat(), LARGEST].filter((candidate) => candidate <= limit);
}

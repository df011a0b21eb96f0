import type { Socket } from 'node:net';
import { plainAddress } from '../control-channel.js';
import { BenchError } from '../errors.js';
import type { ClassicOptions } from './options.js';

/** The control connection of C's fi_pingpong: bytes without frames. Every read has a length and a deadline. */
export class ByteChannel {
  #phase = 'name exchange';
  readonly #socket: Socket;
  readonly #timeout: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onPhase: ((phase: string) => void) | undefined;
  #received = Buffer.alloc(0);
  #failure: BenchError | undefined;
  #wake: () => void = () => undefined;

  /** Takes over a connected socket. `timeout` is the deadline of each read in milliseconds. */
  constructor(socket: Socket, timeout: number, { signal, onPhase }: Pick<ClassicOptions, 'signal' | 'onPhase'>) {
    this.#socket = socket;
    this.#timeout = timeout;
    this.#signal = signal;
    this.#onPhase = onPhase;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('end', () => {
      this.#fail('closed the connection');
    });
    socket.on('close', () => {
      this.#fail('closed the connection');
    });
    socket.on('error', (cause) => {
      this.#fail(cause.message, cause);
    });
    signal?.addEventListener('abort', this.#onAbort);
  }

  /** What the session does now: the word in `peer lost in …` and `stalled in …`. */
  get phase(): string {
    return this.#phase;
  }

  set phase(phase: string) {
    this.#phase = phase;
    this.#onPhase?.(phase);
  }

  /** Why nothing more can come; undefined while the channel is well. */
  get failure(): BenchError | undefined {
    if (this.#signal?.aborted) return new BenchError('INTERRUPTED', `interrupted in ${this.phase}`);
    return this.#failure;
  }

  /** What has arrived and was not read. */
  get waiting(): Buffer {
    return this.#received;
  }

  get localAddress(): string {
    return plainAddress(this.#socket.localAddress);
  }

  get remoteAddress(): string {
    return plainAddress(this.#socket.remoteAddress);
  }

  /** Sends in one piece: C reads each field with one read(2), and does not ask for the rest. */
  write(bytes: Buffer | string): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** Exactly so many bytes, in whatever pieces they come. */
  async read(length: number): Promise<Buffer> {
    const deadline = performance.now() + this.#timeout;
    while (this.#received.length < length) {
      if (this.failure) throw this.failure;
      const left = deadline - performance.now();
      if (left <= 0) throw this.#stalled(length);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const bytes = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return bytes;
  }

  /** Closes our half, and resolves when the other end has closed its own, or the deadline is over. */
  async finish(milliseconds: number): Promise<void> {
    this.#socket.end();
    const deadline = performance.now() + milliseconds;
    while (this.#failure === undefined && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.close();
  }

  close(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#socket.destroy();
  }

  readonly #onAbort = (): void => {
    this.#wake();
  };

  #fail(what: string, cause?: unknown): void {
    this.#failure ??= new BenchError('PEER_LOST', `peer lost in ${this.phase}: it ${what}`, { cause });
    this.#wake();
  }

  #stalled(length: number): BenchError {
    const seconds = this.#timeout / 1000;
    return new BenchError(
      'STALLED',
      `stalled in ${this.phase}: ${this.#received.length} of ${length} bytes came from the other end within ${seconds} s`,
    );
  }
}

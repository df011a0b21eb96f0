import type { Socket } from 'node:net';
import { BenchError } from './errors.js';
import { encodeFrame, FrameDecoder } from './frame.js';
import { parseMessage, stopCodeSchema, typeOf, type Message, type MessageType } from './protocol.js';

interface Waiter {
  resolve: (message: unknown) => void;
  reject: (error: BenchError) => void;
}

/**
 * Messages over one TCP connection. Every read has a deadline; the end of the connection, or
 * bytes that are no message, is an error from then on, whether somebody reads or not.
 */
export class ControlChannel {
  /** What the session does now: the word in `peer lost in …` and `stalled in …`. */
  phase = 'handshake';
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #received: unknown[] = [];
  readonly #timeoutMilliseconds: number;
  readonly #signal: AbortSignal | undefined;
  #waiter: Waiter | undefined;
  #failure: BenchError | undefined;

  /** Takes over a connected socket. `timeout` is the deadline of each read in milliseconds. */
  constructor(socket: Socket, timeout: number, signal?: AbortSignal) {
    this.#socket = socket;
    this.#timeoutMilliseconds = timeout;
    this.#signal = signal;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#take(chunk);
    });
    socket.on('end', () => {
      this.#fail(this.#lost('closed the connection'));
    });
    socket.on('error', (cause) => {
      this.#fail(this.#lost(cause.message, cause));
    });
    socket.on('close', () => {
      this.#fail(this.#lost('closed the connection'));
    });
    signal?.addEventListener('abort', this.#onAbort);
  }

  /** Why no more messages can come; undefined while the channel is well. */
  get failure(): BenchError | undefined {
    if (this.#signal?.aborted) return this.#interrupted();
    return this.#failure;
  }

  /** This end's address of the connection, without IPv6's wrapping of IPv4. */
  get localAddress(): string {
    return plainAddress(this.#socket.localAddress);
  }

  /** The other end's address of the connection. */
  get remoteAddress(): string {
    return plainAddress(this.#socket.remoteAddress);
  }

  /** Sends one message. A connection that is gone is found by the next read. */
  send<T extends MessageType>(message: Message<T>): void {
    if (this.#socket.writable) this.#socket.write(encodeFrame(message));
  }

  /** The next message, which has to be of one of these types. */
  async receive<T extends MessageType>(...types: readonly T[]): Promise<Message<T>> {
    return parseMessage(await this.receiveAny(), ...types);
  }

  /** The next message, unchecked. Rejects on the deadline, on `stop`, and on the connection's end. */
  async receiveAny(): Promise<unknown> {
    // A message that came before the end of the connection still counts.
    const next = this.#received.shift();
    if (this.#signal?.aborted) throw this.#interrupted();
    if (next !== undefined) return next;
    if (this.#failure) throw this.#failure;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<unknown>((resolve, reject) => {
        this.#waiter = { resolve, reject };
        timer = setTimeout(() => {
          reject(this.#silent());
        }, this.#timeoutMilliseconds);
      });
    } finally {
      clearTimeout(timer);
      this.#waiter = undefined;
    }
  }

  /**
   * Resolves as soon as the channel has failed, or after `milliseconds` without a failure.
   * An operation fails because its peer died more often than for any other reason, and the
   * provider may know it before the control connection does.
   */
  async failureWithin(milliseconds: number): Promise<BenchError | undefined> {
    const deadline = performance.now() + milliseconds;
    while (!this.failure && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this.failure;
  }

  /** Says why the session is over, if the other end can still hear it, and closes. */
  stop(error: unknown): void {
    this.send({ type: 'stop', ...describeForPeer(error) });
    this.close();
  }

  /** Closes the connection once what was sent has left; the other end is not waited for. */
  close(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#socket.removeAllListeners('data');
    // Reading on to the end keeps unread bytes from turning our last message into a reset.
    this.#socket.resume();
    this.#socket.end();
    const lingering = setTimeout(() => this.#socket.destroy(), 1000);
    this.#socket.once('close', () => {
      clearTimeout(lingering);
    });
  }

  readonly #onAbort = (): void => {
    this.#waiter?.reject(this.#interrupted());
  };

  #take(chunk: Buffer): void {
    if (this.#failure) return;
    let messages: unknown[];
    try {
      messages = this.#decoder.push(chunk);
    } catch (error) {
      this.#fail(error as BenchError);
      return;
    }
    for (const message of messages) {
      if (typeOf(message) === 'stop') {
        this.#fail(stopped(message, this.phase));
        return;
      }
      if (this.#waiter) this.#waiter.resolve(message);
      else this.#received.push(message);
      this.#waiter = undefined;
    }
  }

  #fail(error: BenchError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#waiter?.reject(error);
  }

  #lost(what: string, cause?: unknown): BenchError {
    const unfinished = this.#decoder.unfinished;
    const cut = unfinished ? ` after ${unfinished}` : '';
    return new BenchError('PEER_LOST', `peer lost in ${this.phase}: it ${what}${cut}`, { cause });
  }

  #silent(): BenchError {
    const seconds = this.#timeoutMilliseconds / 1000;
    const unfinished = this.#decoder.unfinished;
    const got = unfinished ? `only ${unfinished}` : 'nothing';
    return new BenchError('STALLED', `stalled in ${this.phase}: ${got} came from the other end within ${seconds} s`);
  }

  #interrupted(): BenchError {
    return new BenchError('INTERRUPTED', `interrupted in ${this.phase}`);
  }
}

/** The other end's reason to stop, as this end's error. */
function stopped(message: unknown, phase: string): BenchError {
  let stop: Message<'stop'>;
  try {
    stop = parseMessage(message, 'stop');
  } catch {
    return new BenchError('PEER_LOST', `peer lost in ${phase}: it stopped without a valid reason`);
  }
  if (stop.code === 'INTERRUPTED') {
    return new BenchError('PEER_LOST', `peer lost in ${phase}: it was ${stop.message}`);
  }
  if (stop.code === 'FAILED') {
    return new BenchError('PEER_LOST', `peer lost in ${phase}: it failed: ${stop.message}`);
  }
  return new BenchError(stop.code, `the other end says: ${stop.message}`);
}

function describeForPeer(error: unknown): Pick<Message<'stop'>, 'code' | 'message'> {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, 4096);
  const code = stopCodeSchema.safeParse(error instanceof BenchError ? error.code : undefined);
  return { code: code.success ? code.data : 'FAILED', message };
}

/** An IPv4 address as such, where a dual-stack socket shows it as `::ffff:10.0.0.1`. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}

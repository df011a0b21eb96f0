/** Messages between two processes, with flow control: what {@link connect} and {@link listen} give. */
import type { ConnectedEndpoint } from './connected-endpoint.js';
import { FRAME_KINDS, RESERVED_RECEIVES, type Greeting } from './connection-protocol.js';
import { ERRORS } from './constants.js';
import { fabricError, show, type FabricError } from './errors.js';
import { ReceiveWindow, type ReceiveWindowClient } from './receive-window.js';
import { SendWindow } from './send-window.js';
import { FabricStream, type FabricStreamOptions } from './stream.js';

/** How a connection receives. */
export interface ConnectionOptions {
  /** Size of a receive buffer, in bytes; the largest message is 4 bytes smaller, at the smaller of both ends. @defaultValue 65536 */
  readonly frameSize?: number | undefined;
  /** How many messages may wait for {@link Connection.receive} before the peer has to. @defaultValue 16 */
  readonly window?: number | undefined;
}

const DEFAULTS = { frameSize: 65_536, window: 16 };
const LIMITS = { frameSize: [64, 2 ** 24], window: [2, 1024] } as const;

interface Receiver {
  readonly resolve: (message: Buffer | undefined) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection to one peer that carries messages in both directions.
 *
 * Nothing is lost in silence: {@link end} says that no more will come, and an end of the connection without it is an error
 * (`FI_ECONNRESET`). Flow control is part of it: a peer that does not {@link receive} makes {@link send} wait.
 */
export class Connection implements AsyncIterable<Buffer>, ReceiveWindowClient {
  /** The endpoint below. It belongs to the connection: what it receives is not for others. */
  readonly endpoint: ConnectedEndpoint;

  readonly #release: () => void;
  readonly #frameSize: number;
  readonly #receives: ReceiveWindow;
  readonly #receivers: Receiver[] = [];
  readonly #closed: Promise<FabricError | undefined>;
  #settleClosed!: (error: FabricError | undefined) => void;
  #sends: SendWindow | undefined;
  #data: Buffer = Buffer.alloc(0);
  #ending: { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } | undefined;
  #peerHasEnded = false;
  #hasAcknowledged = false;
  #isAcknowledged = false;
  #isClosed = false;
  #error: FabricError | undefined;

  /** @internal Posts the receives; {@link start} when the peer has answered. `release` closes what the endpoint needs. */
  constructor(endpoint: ConnectedEndpoint, settings: ConnectionSettings, release: () => void) {
    this.endpoint = endpoint;
    this.#release = release;
    this.#frameSize = settings.frameSize;
    this.#closed = new Promise((resolve) => (this.#settleClosed = resolve));
    this.#receives = new ReceiveWindow(endpoint, settings.frameSize, settings.window, this);
  }

  /** @internal */
  start({ frameSize, window, data }: Greeting): void {
    this.#data = data;
    this.#sends = new SendWindow(
      this.endpoint,
      Math.min(frameSize, this.#frameSize),
      Math.min(window, this.endpoint.info.txAttr.size),
      () => this.#receives.takeCredits(),
      (error) => {
        this.onReceiveError(error);
      },
    );
    this.#receives.start();
  }

  /** The private data that the peer sent with its request or its answer. */
  get data(): Buffer {
    return this.#data;
  }

  /** Largest message, in bytes. */
  get maxMessageSize(): number {
    return this.#started.maxMessageSize;
  }

  /**
   * Settled when the connection is over: with undefined when both ends have said {@link end}, or {@link destroy} was called
   * here without an error; else with the error. Never rejects.
   */
  get closed(): Promise<FabricError | undefined> {
    return this.#closed;
  }

  /**
   * Sends a message. Resolves when it has been copied and is on its way, which takes as long as the peer has no room.
   *
   * @throws RangeError for more than {@link maxMessageSize}; rejects with a FabricError when the connection is lost,
   *   `FI_ESHUTDOWN` after {@link end}.
   */
  send(message: Uint8Array): Promise<void> {
    if (!(message instanceof Uint8Array)) {
      throw new TypeError(`message: expected a Uint8Array, not ${show(message)}`);
    }
    if (message.byteLength > this.maxMessageSize) {
      throw new RangeError(
        `message: ${message.byteLength} bytes are more than maxMessageSize of ${this.maxMessageSize}`,
      );
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ending !== undefined || this.#isClosed) return Promise.reject(ended('cannot send'));
    return this.#started.send(message);
  }

  /**
   * The next message, in the order in which they were sent; undefined when the peer has said {@link end}.
   *
   * @throws FabricError when the connection is lost, after what had arrived before.
   */
  receive(): Promise<Buffer | undefined> {
    const message = this.#take();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#peerHasEnded) return Promise.resolve(undefined);
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#isClosed) return Promise.reject(ended('cannot receive'));
    return new Promise((resolve, reject) => this.#receivers.push({ resolve, reject }));
  }

  /** Every message until the peer ends. Leaving the loop early does not close the connection. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    for (let message = await this.receive(); message !== undefined; message = await this.receive()) yield message;
  }

  /**
   * Says that no more will be sent; receiving goes on until the peer has said so too. Resolves when the peer's process has
   * everything.
   */
  end(): Promise<void> {
    if (this.#ending !== undefined) return this.#ending.promise;
    let [resolve, reject]: [() => void, (error: Error) => void] = [() => undefined, () => undefined];
    const promise = new Promise<void>((...settle) => ([resolve, reject] = settle));
    // Whoever does not wait for it hears of the loss from `closed`.
    promise.catch(() => undefined);
    this.#ending = { promise, resolve, reject };
    if (this.#isClosed) {
      reject(this.#error ?? ended('cannot end'));
    } else {
      const sends = this.#started;
      sends.drained().then(() => {
        sends.sendControl(FRAME_KINDS.end);
      }, reject);
    }
    return promise;
  }

  /** {@link end}, drops what arrives, and waits until the peer has ended too. @throws the error of a lost connection. */
  async close(): Promise<void> {
    const ending = this.end();
    while ((await this.receive()) !== undefined);
    await ending;
    const error = await this.#closed;
    if (error !== undefined) throw error;
  }

  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the connection at once; the peer sees `FI_ECONNRESET`, unless both had said {@link end}. Idempotent. */
  destroy(): void {
    this.#finish(undefined);
  }

  /** A Duplex stream of the bytes of all messages: use either the stream or {@link send} and {@link receive}. */
  stream(options: FabricStreamOptions = {}): FabricStream {
    return new FabricStream(this, options);
  }

  /** Keeps the process alive while it is open: the default. */
  ref(): this {
    this.endpoint.ref();
    return this;
  }

  /** Does not keep the process alive. */
  unref(): this {
    this.endpoint.unref();
    return this;
  }

  /** @internal Whether both ends have said {@link end}: what is left happens by itself. */
  get isEnding(): boolean {
    return this.#peerHasEnded && this.#ending !== undefined;
  }

  /** @internal */
  onCredits(count: number): void {
    this.#started.addCredits(count);
  }

  /** @internal */
  onMessage(): void {
    if (this.#receivers.length > 0) this.#receivers.shift()!.resolve(this.#take());
  }

  /** @internal */
  onEnd(): void {
    this.#peerHasEnded = true;
    this.#started.sendControl(FRAME_KINDS.endAck, () => {
      this.#hasAcknowledged = true;
      this.#finishIfDone();
    });
    for (const { resolve } of this.#receivers.splice(0)) resolve(undefined);
  }

  /** @internal */
  onEndAck(): void {
    this.#isAcknowledged = true;
    this.#ending?.resolve();
    this.#finishIfDone();
  }

  /** @internal */
  onReceiveError(cause: Error): void {
    // Flushed because there will be no connection; whoever connects or accepts hears why.
    if (this.#sends === undefined) return;
    const error = fabricError('the connection is lost', {
      errno: ERRORS.FI_ECONNRESET,
      syscall: (cause as Partial<FabricError>).syscall ?? 'fi_recv',
      hint: 'The peer has died, or closed the connection without end().',
    });
    this.#finish(Object.assign(error, { cause }));
  }

  /** Nobody outside has a connection before it was started. */
  get #started(): SendWindow {
    return this.#sends!;
  }

  #take(): Buffer | undefined {
    const message = this.#receives.take();
    const isUseful = !this.#peerHasEnded && !this.#isClosed;
    if (message !== undefined && isUseful && this.#receives.owesMany) this.#started.sendControl(FRAME_KINDS.credit);
    return message;
  }

  /** Both have ended and know it of each other: nothing is under way any more. */
  #finishIfDone(): void {
    if (this.#hasAcknowledged && this.#isAcknowledged) this.#finish(undefined);
  }

  #finish(error: FabricError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#error = error;
    this.#receives.close();
    const reason = error ?? ended('the connection was destroyed');
    this.#sends?.close(reason);
    this.#ending?.reject(reason);
    for (const { reject } of this.#receivers.splice(0)) reject(reason);
    // Sends what the provider has only buffered so far.
    if (this.endpoint.state === 'connected') this.endpoint.shutdown();
    this.#release();
    this.#settleClosed(error);
  }
}

/** What {@link ConnectionOptions} leave open, filled in. */
export type ConnectionSettings = Pick<Greeting, 'frameSize' | 'window'>;

/** The options with defaults, within what the endpoint can have posted. @throws RangeError for other values. */
export function connectionSettings(options: ConnectionOptions, receiveLimit: number): ConnectionSettings {
  const settings = {
    frameSize: options.frameSize ?? DEFAULTS.frameSize,
    window: options.window ?? Math.min(DEFAULTS.window, receiveLimit - RESERVED_RECEIVES),
  };
  for (const name of ['frameSize', 'window'] as const) {
    const [least, most] = LIMITS[name];
    const limit = name === 'window' ? Math.min(most, receiveLimit - RESERVED_RECEIVES) : most;
    const value = settings[name];
    if (!Number.isInteger(value) || value < least || value > limit) {
      throw new RangeError(`options.${name}: expected an integer from ${least} to ${limit}, not ${show(value)}`);
    }
  }
  return settings;
}

function ended(doing: string): FabricError {
  return fabricError(doing, { errno: ERRORS.FI_ESHUTDOWN, syscall: 'fi_shutdown', hint: 'This end has ended it.' });
}

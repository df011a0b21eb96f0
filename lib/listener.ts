/** Listening for connections in one line. */
import { checkApplicationData, openConnection, targetInfo, type ConnectionTarget } from './connect.js';
import { connectionSettings, type Connection, type ConnectionSettings } from './connection.js';
import { decodeGreeting, encodeGreeting, type Greeting } from './connection-protocol.js';
import { Domain } from './domain.js';
import { EventQueue } from './event-queue.js';
import { Fabric } from './fabric.js';
import { PassiveEndpoint, type ConnectionRequest } from './passive-endpoint.js';

/** How a listener may answer: {@link ListenOptions.answer}. */
export type Answer = { readonly accept: boolean; readonly data?: Uint8Array | undefined } | boolean;

/** Options of {@link listen}. */
export interface ListenOptions extends ConnectionTarget {
  /** How many requests may wait for an answer. @defaultValue what the provider is configured for */
  readonly backlog?: number | undefined;
  /**
   * Decides about a connection, from the private data of the peer, and gives the private data of the answer.
   * @defaultValue everybody is accepted
   */
  readonly answer?: ((data: Buffer) => Answer) | undefined;
}

/** What {@link listen} gives: an async iterable of connections, where there is no handler for them. */
export class Listener implements AsyncIterable<Connection> {
  /** What listens. */
  readonly passiveEndpoint: PassiveEndpoint;

  readonly #domain: Domain;
  readonly #settings: ConnectionSettings;
  readonly #answer: ListenOptions['answer'];
  readonly #handler: ((connection: Connection) => unknown) | undefined;
  readonly #connections: Connection[] = [];
  readonly #waiting: ((connection: Connection | undefined) => void)[] = [];
  #open = 0;

  /** @internal */
  constructor(options: ListenOptions, handler: ((connection: Connection) => unknown) | undefined) {
    const info = targetInfo(options, true);
    this.#settings = connectionSettings(options, info.rxAttr.size);
    this.#answer = options.answer;
    this.#handler = handler;
    const fabric = new Fabric(info);
    try {
      this.#domain = new Domain(fabric);
      this.passiveEndpoint = new PassiveEndpoint(fabric, { eventQueue: new EventQueue(fabric) });
      const onRequest = this.#onRequest.bind(this);
      this.passiveEndpoint.listen({ backlog: options.backlog, onRequest });
    } catch (error) {
      fabric.close();
      throw error;
    }
  }

  /** The address that peers connect to, as {@link Info.destAddr} has it. A copy. */
  get address(): Buffer {
    return this.passiveEndpoint.address;
  }

  /** The port that peers connect to, of a socket address. */
  get port(): number {
    return this.address.readUInt16BE(2);
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.passiveEndpoint.closed;
  }

  /** Connections as they come, until the listener is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Connection, void> {
    for (let next = await this.#next(); next !== undefined; next = await this.#next()) yield next;
  }

  /** Stops listening. Connections that are there stay; what they share is closed with the last of them. Idempotent. */
  close(): void {
    this.passiveEndpoint.close();
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    this.#closeShared();
  }

  /** {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Listening keeps the process alive: the default. */
  ref(): this {
    this.passiveEndpoint.ref();
    return this;
  }

  /** Listening does not keep the process alive; connections do. */
  unref(): this {
    this.passiveEndpoint.unref();
    return this;
  }

  #onRequest(request: ConnectionRequest): void {
    const greeting = decodeGreeting(request.data);
    if (greeting === undefined) {
      request.reject();
      return;
    }
    const answer = this.#answer?.(greeting.data) ?? true;
    const { accept, data } = typeof answer === 'boolean' ? { accept: answer, data: undefined } : answer;
    if (accept) {
      checkApplicationData(data, this.passiveEndpoint.dataSize);
      void this.#accept(request, greeting, data);
    } else {
      request.reject(data);
    }
  }

  async #accept(request: ConnectionRequest, greeting: Greeting, data: Uint8Array | undefined): Promise<void> {
    this.#open++;
    const release = (): void => {
      this.#open--;
      this.#closeShared();
    };
    let opened: ReturnType<typeof openConnection>;
    try {
      const { eventQueue } = this.passiveEndpoint;
      opened = openConnection(this.#domain, eventQueue, request, this.#settings, release);
    } catch (error) {
      // One connection too many, perhaps; the others go on.
      request.close();
      release();
      process.emitWarning(error as Error);
      return;
    }
    try {
      await opened.endpoint.accept({ data: encodeGreeting(this.#settings, data) });
    } catch {
      // The peer has gone before there was a connection: nobody here has heard of it yet.
      opened.connection.destroy();
      return;
    }
    opened.connection.start(greeting);
    this.#deliver(opened.connection);
  }

  #deliver(connection: Connection): void {
    if (this.#handler !== undefined) {
      this.#handler(connection);
    } else {
      const resolve = this.#waiting.shift();
      if (resolve === undefined) this.#connections.push(connection);
      else resolve(connection);
    }
  }

  #next(): Promise<Connection | undefined> {
    const connection = this.#connections.shift();
    if (connection !== undefined || this.closed) return Promise.resolve(connection);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #closeShared(): void {
    if (this.closed && this.#open === 0) this.#domain.fabric.close();
  }
}

/**
 * Listens for connections of {@link connect}.
 *
 * @param options - Where: by default the loopback interface and a free port ({@link Listener.port}).
 * @param handler - Called with each connection. Without it, iterate the listener.
 * @throws FabricError `FI_EADDRINUSE` when somebody else listens there, `FI_ENODATA` when no provider has connections.
 */
export function listen(options: ListenOptions = {}, handler?: (connection: Connection) => unknown): Listener {
  return new Listener(options, handler);
}

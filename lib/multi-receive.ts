/** FI_MULTI_RECV of fi_msg(3): many messages in few large buffers. */
import { show } from './errors.js';
import { PendingOperation, type Completion, type OperationOwner } from './operation.js';

/** Options of {@link MessageEndpoint.multiReceive}. */
export interface MultiReceiveOptions {
  /** Bytes of each buffer. @defaultValue 1 MiB */
  readonly byteLength?: number | undefined;
  /** How many buffers take turns: one receives while messages in the others are still in use. @defaultValue 2 */
  readonly bufferCount?: number | undefined;
}

/** One large buffer, posted over and over. */
interface Room {
  readonly buffer: Uint8Array;
  /** Messages in it that nobody has released. */
  held: number;
  /** While the provider fills it. */
  operation: PendingOperation | undefined;
}

/** A message in a buffer of a {@link MultiReceive}, from its arrival to {@link release}. */
export class ReceivedMessage {
  #release: (() => void) | undefined;

  /** @internal */
  constructor(
    /** What was sent; not to be used after {@link release}. */
    readonly bytes: Uint8Array,
    /** Its flags, immediate data and source. */
    readonly completion: Completion,
    release: () => void,
  ) {
    this.#release = release;
  }

  /** Gives its room back. A buffer receives again when all of its messages have been released. Twice is nothing. */
  release(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }

  /** {@link release}, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** @internal How a buffer is posted: an operation that completes for each message. */
export type PostRoom = (buffer: Uint8Array, operation: PendingOperation) => void;

/** @internal An operation that tells its room of every message, and when there will be no more. */
class RoomOperation extends PendingOperation {
  readonly #ended: () => void;

  constructor(
    owner: OperationOwner,
    received: (completion: Completion) => void,
    failed: (error: Error) => void,
    ended: () => void,
  ) {
    super(owner, 'fi_recvmsg', false, false, true);
    this.resolve = received;
    this.reject = (error) => {
      failed(error as Error);
    };
    this.#ended = ended;
  }

  override ended(): void {
    super.ended();
    this.#ended();
  }
}

/**
 * Receives messages of any peer as slices of a few large buffers, without a receive of its own for each: an async
 * iterable, made by {@link MessageEndpoint.multiReceive}.
 *
 * A message that does not fit into what is left of a buffer is lost, as FI_ETRUNC, which the iteration throws and goes on
 * after; set the endpoint's FI_OPT_MIN_MULTI_RECV to the longest message, and that never happens. The iteration ends when
 * it is closed, and throws FI_ECANCELED when the endpoint is.
 */
export class MultiReceive implements AsyncIterableIterator<ReceivedMessage, undefined> {
  readonly #owner: OperationOwner;
  readonly #post: PostRoom;
  readonly #cancel: (operation: PendingOperation) => void;
  readonly #rooms: Room[] = [];
  readonly #arrived: (ReceivedMessage | { readonly error: Error })[] = [];
  readonly #waiting: {
    resolve: (result: IteratorResult<ReceivedMessage, undefined>) => void;
    reject: (error: Error) => void;
  }[] = [];
  #closed = false;

  /** @internal */
  constructor(
    owner: OperationOwner,
    { byteLength = 1 << 20, bufferCount = 2 }: MultiReceiveOptions,
    post: PostRoom,
    cancel: (operation: PendingOperation) => void,
  ) {
    for (const [name, value] of Object.entries({ byteLength, bufferCount })) {
      if (Number.isSafeInteger(value) && value > 0) continue;
      throw new RangeError(`options.${name}: expected a positive integer, not ${show(value)}`);
    }
    this.#owner = owner;
    this.#post = post;
    this.#cancel = cancel;
    for (let i = 0; i < bufferCount; i++) {
      const room = { buffer: new Uint8Array(byteLength), held: 0, operation: undefined };
      this.#rooms.push(room);
      try {
        this.#start(room);
      } catch (error) {
        this.close();
        throw error;
      }
    }
  }

  /** Whether nothing more will be received. What has arrived can still be read. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The next message; first come, first served. */
  next(): Promise<IteratorResult<ReceivedMessage, undefined>> {
    const arrived = this.#arrived.shift();
    if (arrived instanceof ReceivedMessage) return Promise.resolve({ done: false, value: arrived });
    if (arrived !== undefined) return Promise.reject(arrived.error);
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** Stops receiving: fi_cancel(3). Called by leaving a `for await`. */
  return(): Promise<IteratorResult<ReceivedMessage, undefined>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Stops receiving: fi_cancel(3). Buffers stay in place until the provider has let go of them. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { operation } of this.#rooms) if (operation !== undefined) this.#cancel(operation);
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  /** {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  #start(room: Room): void {
    const operation = new RoomOperation(
      this.#owner,
      (completion) => {
        this.#received(room, completion);
      },
      (error) => {
        this.#failed(error);
      },
      () => {
        room.operation = undefined;
        this.#reuse(room);
      },
    );
    this.#post(room.buffer, operation);
    room.operation = operation;
  }

  #received(room: Room, completion: Completion): void {
    // The provider may only say that it is done with the buffer.
    if (completion.offset === undefined || completion.offset < 0) return;
    const bytes = new Uint8Array(room.buffer.buffer, completion.offset, completion.length);
    room.held++;
    const message = new ReceivedMessage(bytes, completion, () => {
      room.held--;
      this.#reuse(room);
    });
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#arrived.push(message);
    else waiting.resolve({ done: false, value: message });
  }

  #failed(error: Error): void {
    if (this.#closed) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#arrived.push({ error });
    else waiting.reject(error);
    // One message that was too long is no end; anything else is.
    if ((error as { code?: unknown }).code !== 'FI_ETRUNC') this.close();
  }

  #reuse(room: Room): void {
    if (this.#closed || room.operation !== undefined || room.held > 0) return;
    try {
      this.#start(room);
    } catch (error) {
      this.#failed(error as Error);
    }
  }
}

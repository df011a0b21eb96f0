/** The receives that one end of a connection keeps posted: the peer never sends more than there are. */
import type { ConnectedEndpoint } from './connected-endpoint.js';
import { FRAME_KINDS, HEADER_SIZE, RESERVED_RECEIVES } from './connection-protocol.js';

/** Who is told of frames. */
export interface ReceiveWindowClient {
  /** The peer has room for so many more data frames. */
  onCredits(count: number): void;
  /** A data frame waits to be taken. */
  onMessage(): void;
  onEnd(): void;
  onEndAck(): void;
  /** Nothing can be received any more. */
  onReceiveError(error: Error): void;
}

interface Message {
  readonly index: number;
  readonly length: number;
}

export class ReceiveWindow {
  readonly #endpoint: ConnectedEndpoint;
  readonly #client: ReceiveWindowClient;
  readonly #buffers: Buffer[];
  readonly #messages: Message[] = [];
  readonly #threshold: number;
  /** Frames that came before the connection was seen to be there: the two are reported by different queues. */
  #early: Message[] | undefined = [];
  #owed = 0;
  #closed = false;

  constructor(endpoint: ConnectedEndpoint, frameSize: number, window: number, client: ReceiveWindowClient) {
    this.#endpoint = endpoint;
    this.#client = client;
    this.#threshold = Math.ceil(window / 2);
    const count = window + RESERVED_RECEIVES;
    const memory = Buffer.allocUnsafeSlow(count * frameSize);
    this.#buffers = Array.from({ length: count }, (_, i) => memory.subarray(i * frameSize, (i + 1) * frameSize));
    for (const index of this.#buffers.keys()) this.#post(index);
  }

  /** The client is ready to answer. */
  start(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const { index, length } of early) this.#onFrame(index, length);
  }

  /** Whether the peer should be told of credits without waiting for data to go its way. */
  get owesMany(): boolean {
    return this.#owed >= this.#threshold;
  }

  /** The credits to send with the next frame. */
  takeCredits(): number {
    const owed = this.#owed;
    this.#owed = 0;
    return owed;
  }

  /** A copy of the oldest message; its buffer goes back to the provider. */
  take(): Buffer | undefined {
    const message = this.#messages.shift();
    if (message === undefined) return undefined;
    const buffer = this.#buffers[message.index]!;
    const copy = Buffer.from(buffer.subarray(HEADER_SIZE, message.length));
    this.#owed++;
    this.#post(message.index);
    return copy;
  }

  close(): void {
    this.#closed = true;
  }

  #post(index: number): void {
    if (this.#closed) return;
    const fail = (error: unknown): void => {
      if (!this.#closed) this.#client.onReceiveError(error as Error);
    };
    try {
      this.#endpoint.recv(this.#buffers[index]!).then(({ length }) => {
        this.#onFrame(index, length);
      }, fail);
    } catch (error) {
      fail(error);
    }
  }

  #onFrame(index: number, length: number): void {
    if (this.#closed) return;
    if (this.#early !== undefined) {
      this.#early.push({ index, length });
      return;
    }
    const buffer = this.#buffers[index]!;
    const [kind, credits] = [buffer[0], buffer.readUInt16LE(2)];
    if (kind === FRAME_KINDS.data) this.#messages.push({ index, length });
    else this.#post(index);
    if (credits > 0) this.#client.onCredits(credits);
    if (kind === FRAME_KINDS.data) this.#client.onMessage();
    else if (kind === FRAME_KINDS.end) this.#client.onEnd();
    else if (kind === FRAME_KINDS.endAck) this.#client.onEndAck();
  }
}

/** What one end of a connection may send: as many data frames as the peer has given credits for. */
import type { ConnectedEndpoint } from './connected-endpoint.js';
import { FRAME_KINDS, HEADER_SIZE } from './connection-protocol.js';

/** A message that waits for a credit. */
interface Waiting {
  readonly message: Uint8Array | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class SendWindow {
  /** Largest message, in bytes. */
  readonly maxMessageSize: number;

  readonly #endpoint: ConnectedEndpoint;
  readonly #takeCredits: () => number;
  readonly #onError: (error: Error) => void;
  readonly #free: Buffer[];
  readonly #waiting: Waiting[] = [];
  #credits: number;

  constructor(
    endpoint: ConnectedEndpoint,
    frameSize: number,
    window: number,
    takeCredits: () => number,
    onError: (error: Error) => void,
  ) {
    this.#endpoint = endpoint;
    this.#takeCredits = takeCredits;
    this.#onError = onError;
    this.#credits = window;
    this.maxMessageSize = frameSize - HEADER_SIZE;
    const memory = Buffer.allocUnsafeSlow(window * frameSize);
    this.#free = Array.from({ length: window }, (_, i) => memory.subarray(i * frameSize, (i + 1) * frameSize));
  }

  addCredits(count: number): void {
    this.#credits += count;
    this.#pump();
  }

  /** Resolves when a copy of the message is on its way: its buffer is free, and there may be room for another. */
  send(message: Uint8Array): Promise<void> {
    if (this.#waiting.length === 0 && this.#canSend()) {
      this.#post(message);
      return Promise.resolve();
    }
    return this.#wait(message);
  }

  /** Resolves when every message before has been sent. */
  drained(): Promise<void> {
    return this.#waiting.length === 0 ? Promise.resolve() : this.#wait(undefined);
  }

  /** Sends a frame that needs no credit, at once; calls `onSent` when it has left. */
  sendControl(kind: number, onSent: () => void = () => undefined): void {
    const frame = Buffer.allocUnsafe(HEADER_SIZE);
    this.#writeHeader(frame, kind);
    this.#send(frame, onSent);
  }

  close(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #canSend(): boolean {
    return this.#credits > 0 && this.#free.length > 0;
  }

  #wait(message: Uint8Array | undefined): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ message, resolve, reject }));
  }

  #pump(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (first.message !== undefined) {
        if (!this.#canSend()) return;
        this.#post(first.message);
      }
      this.#waiting.shift();
      first.resolve();
    }
  }

  #post(message: Uint8Array): void {
    this.#credits--;
    const buffer = this.#free.pop()!;
    this.#writeHeader(buffer, FRAME_KINDS.data);
    buffer.set(message, HEADER_SIZE);
    this.#send(buffer.subarray(0, HEADER_SIZE + message.byteLength), () => {
      this.#free.push(buffer);
      this.#pump();
    });
  }

  #send(frame: Buffer, onSent: () => void): void {
    try {
      this.#endpoint.send(frame).then(onSent, this.#onError);
    } catch (error) {
      this.#onError(error as Error);
    }
  }

  #writeHeader(frame: Buffer, kind: number): void {
    frame[0] = kind;
    frame[1] = 0;
    frame.writeUInt16LE(this.#takeCredits(), 2);
  }
}

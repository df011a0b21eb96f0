/** A connection as Node's own kind of stream. */
import { Duplex, type DuplexOptions } from 'node:stream';
import type { Connection } from './connection.js';

/** Options of a {@link FabricStream}: those of a Duplex that have a meaning here. */
export type FabricStreamOptions = Pick<
  DuplexOptions,
  | 'allowHalfOpen'
  | 'decodeStrings'
  | 'defaultEncoding'
  | 'emitClose'
  | 'encoding'
  | 'highWaterMark'
  | 'readableHighWaterMark'
  | 'signal'
  | 'writableHighWaterMark'
>;

/**
 * A Duplex stream over a {@link Connection}: bytes in order, backpressure both ways.
 *
 * `end()` closes one direction; `'finish'` comes when the peer's process has everything that was written. `destroy()` before
 * both ends have ended resets the connection: the peer's stream is destroyed with `FI_ECONNRESET`.
 */
export class FabricStream extends Duplex {
  readonly connection: Connection;
  #isPulling = false;
  #isWanted = false;

  constructor(connection: Connection, options: FabricStreamOptions = {}) {
    super({ ...options, objectMode: false, autoDestroy: true });
    this.connection = connection;
    void connection.closed.then((error) => {
      // After an orderly end there may still be something to read.
      if (error !== undefined || !connection.isEnding) this.destroy(error);
    });
  }

  /** The connection keeps the process alive: the default. */
  ref(): this {
    this.connection.ref();
    return this;
  }

  /** The connection does not keep the process alive. */
  unref(): this {
    this.connection.unref();
    return this;
  }

  /** @internal */
  override _read(): void {
    this.#isWanted = true;
    if (!this.#isPulling) void this.#pull();
  }

  /** @internal */
  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#settle(this.#send(chunk), callback);
  }

  /** @internal */
  override _final(callback: (error?: Error | null) => void): void {
    this.#settle(this.connection.end(), callback);
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // Leaving a `for await` destroys a stream that has read its end, perhaps before the peer has confirmed ours.
    if (error !== null || !this.connection.isEnding) this.connection.destroy();
    callback(error);
  }

  #settle(promise: Promise<void>, callback: (error?: Error | null) => void): void {
    const fail = async (error: Error): Promise<void> => {
      // A connection that this end has destroyed is no error of its stream.
      if ((await this.connection.closed) === undefined) this.destroy();
      else callback(error);
    };
    promise.then(() => {
      callback();
    }, fail);
  }

  async #pull(): Promise<void> {
    this.#isPulling = true;
    try {
      while (this.#isWanted && !this.destroyed) {
        const message = await this.connection.receive();
        if (message === undefined) {
          this.push(null);
          return;
        }
        if (message.byteLength === 0) continue;
        this.#isWanted = false;
        // A listener of what is pushed may call _read meanwhile.
        if (this.push(message)) this.#isWanted = true;
      }
    } catch {
      // The connection is lost; `closed` says why.
    } finally {
      this.#isPulling = false;
    }
  }

  async #send(chunk: Buffer): Promise<void> {
    const { maxMessageSize } = this.connection;
    for (let start = 0; start < chunk.byteLength; start += maxMessageSize) {
      await this.connection.send(chunk.subarray(start, start + maxMessageSize));
    }
  }
}

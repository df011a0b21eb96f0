import { setImmediate as nextTurn } from 'node:timers/promises';
import { ANY_ADDRESS } from '../../binding.js';
import { CompletionBatch, FabricError, type ConnectedEndpoint, type Endpoint } from '../../index.js';
import { SLICE_MILLISECONDS } from '../exchange.js';
import type { ByteChannel } from './byte-channel.js';

const SEND = 1;
const RECEIVE = 2;
const TAG = 1234;
/** More than the one that C posts, so that posting never stands between a message and its answer. */
const RECEIVES_AHEAD = 2;
const SPIN_MICROSECONDS = 500;
/** C receives into this many bytes at least: the end of a session has to fit. */
const LEAST_RECEIVE = 64;

/** Whether a message came that is longer than its receive. */
export const isTruncation = (error: unknown): boolean => error instanceof FabricError && error.code === 'FI_ETRUNC';

/** Sends and receives one message at a time, as fi_pingpong does, and never waits for ever. */
export class DataPath {
  readonly transmitBuffer: Buffer;
  readonly receiveBuffer: Buffer;
  sent = 0;
  received = 0;
  /** Bytes of the message that arrived last. */
  length = 0;
  /** The other end in the address vector; a connected endpoint has none. */
  peer = ANY_ADDRESS;
  readonly #endpoint: Endpoint | ConnectedEndpoint;
  readonly #isTagged: boolean;
  readonly #injectSize: number;
  readonly #batch = new CompletionBatch(16);
  #pendingSends = 0;
  #posted = 0;
  #arrived = 0;
  /** When the event loop shall turn next: performance.now(). */
  #turnAt = 0;

  constructor(endpoint: Endpoint | ConnectedEndpoint, isTagged: boolean, size: number) {
    this.#endpoint = endpoint;
    this.#isTagged = isTagged;
    this.transmitBuffer = Buffer.alloc(Math.max(size, LEAST_RECEIVE));
    this.receiveBuffer = Buffer.alloc(Math.max(size, LEAST_RECEIVE));
    const { provName = '' } = endpoint.info.fabricAttr;
    // rxd loses what is injected faster than it sends.
    this.#injectSize = isTagged || provName.endsWith(';ofi_rxd') ? 0 : endpoint.info.txAttr.injectSize;
    this.#postReceives();
  }

  /** Whether a message has arrived that nobody has taken. */
  get hasMessage(): boolean {
    return this.#arrived > 0;
  }

  /** Posts a message; false when the provider is full. */
  post(size: number): boolean {
    const buffer = this.transmitBuffer.subarray(0, size);
    const { peer } = this;
    if (size < this.#injectSize) {
      if (!this.#endpoint.postInject(buffer, peer)) return false;
    } else {
      const posted = this.#isTagged
        ? this.#endpoint.postTsend(buffer, peer, TAG, SEND)
        : this.#endpoint.postSend(buffer, peer, SEND);
      if (!posted) return false;
      this.#pendingSends++;
    }
    this.sent++;
    return true;
  }

  /** Whether everything that was sent has completed. */
  get isSent(): boolean {
    return this.#pendingSends === 0;
  }

  /** Takes the message that has arrived. */
  take(): void {
    this.#arrived--;
    this.received++;
  }

  /** Reads completions, spinning for a moment when asked to. @throws FabricError for a failed operation */
  poll(spins: boolean): void {
    this.#postReceives();
    const batch = this.#batch;
    const count = this.#endpoint.completionQueue.read(batch, spins ? SPIN_MICROSECONDS : 0);
    for (let index = 0; index < count; index++) {
      const isSend = batch.context[index] === SEND;
      if (batch.error[index] !== 0) throw this.#failure(index, isSend ? 'send' : 'receive');
      if (isSend) {
        this.#pendingSends--;
      } else {
        this.#posted--;
        this.#arrived++;
        this.length = batch.length[index]!;
      }
    }
  }

  /** Waits for something outside of libfabric, and goes on making progress; `check` may throw why not to wait longer. */
  async progressUntil<T>(awaited: Promise<T>, check?: () => void): Promise<T> {
    let isOver = false;
    const waits = (): boolean => !isOver;
    const end = (): void => {
      isOver = true;
    };
    awaited.then(end, end);
    while (waits()) {
      try {
        this.poll(false);
      } catch (error) {
        // nobody else would hear of the message that is lost
        if (isTruncation(error)) throw error;
        // The peer that has closed its endpoint first is no failure while its last words are on the way.
        await Promise.race([awaited, nextTurn()]);
        if (waits()) throw error;
      }
      if (waits()) check?.();
      await nextTurn();
    }
    return awaited;
  }

  /**
   * Spins until `condition` holds, for `timeout` milliseconds without one. The event loop turns now and then, however soon
   * each message comes: signals and the control connection are heard there.
   */
  async until(
    condition: () => boolean,
    channel: Pick<ByteChannel, 'failure'>,
    timeout: number,
    stalled: () => Error,
  ): Promise<void> {
    if (condition()) return;
    const deadline = performance.now() + timeout;
    for (;;) {
      this.poll(true);
      const isMet = condition();
      const now = performance.now();
      if (now >= this.#turnAt) {
        await nextTurn();
        this.#turnAt = performance.now() + SLICE_MILLISECONDS;
        if (channel.failure && !isMet) throw channel.failure;
      }
      if (isMet) return;
      if (now > deadline) throw stalled();
    }
  }

  #postReceives(): void {
    while (this.#posted < RECEIVES_AHEAD) {
      const posted = this.#isTagged
        ? this.#endpoint.postTrecv(this.receiveBuffer, TAG, 0, RECEIVE)
        : this.#endpoint.postRecv(this.receiveBuffer, RECEIVE);
      if (!posted) return;
      this.#posted++;
    }
  }

  #failure(index: number, operation: string): FabricError {
    const providerError = this.#batch.providerError[index]!;
    const message = this.#endpoint.completionQueue.strerror(providerError);
    return new FabricError(`a ${operation} failed; the provider says: ${message} (${providerError})`, {
      errno: this.#batch.error[index]!,
      syscall: 'fi_cq_readerr',
      provider: { errno: providerError, message },
    });
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { FabricError } from '../index.js';
import type { ControlChannel } from './control-channel.js';
import type { Link } from './link.js';
import type { Message } from './protocol.js';
import { stalled } from './stall.js';

/** One end of one phase of measurement: what it has to move, and how far it is. */
export interface Exchange {
  /** Messages posted for sending. */
  readonly sent: number;
  /** Messages that arrived. */
  readonly received: number;
  /** Grows with whatever happens: what the watch takes for a sign of life. */
  readonly moved: number;
  /** Round trips or windows that are over. */
  readonly iteration: number;
  /** Posts the first receives, so that the other end may send. */
  prepare(): void;
  /** Runs to the end of the phase: all sent, all received, every completion read. */
  run(watch: Watch): Promise<void>;
}

/** How long a loop may keep the event loop from timers, signals and the control connection. */
export const SLICE_MILLISECONDS = 25;

/** Keeps a phase honest: fails it when the peer is gone, the caller aborts, or nothing moves. */
export class Watch {
  readonly #channel: ControlChannel;
  readonly #link: Link;
  readonly #start: Message<'start'>;
  readonly #exchange: Exchange;
  readonly #timeout: number;
  readonly #onProgress: ((iteration: number) => void) | undefined;
  #moved = -1;
  #movedAt = 0;

  constructor(
    channel: ControlChannel,
    link: Link,
    start: Message<'start'>,
    exchange: Exchange,
    timeout: number,
    onProgress?: (iteration: number) => void,
  ) {
    this.#channel = channel;
    this.#link = link;
    this.#start = start;
    this.#exchange = exchange;
    this.#timeout = timeout;
    this.#onProgress = onProgress;
  }

  /** Throws the BenchError that ends the phase, if there is one. */
  check(): void {
    const { failure } = this.#channel;
    if (failure) throw failure;
    const { moved, iteration } = this.#exchange;
    const now = performance.now();
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#movedAt = now;
      this.#onProgress?.(iteration);
    } else if (now - this.#movedAt > this.#timeout) {
      throw stalled(this.#link, this.#start, this.#exchange, this.#timeout);
    }
  }

  /** Lets the event loop turn once: signals, timers and the control connection are looked at. */
  async yield(): Promise<void> {
    this.check();
    await nextTurn();
    this.check();
  }
}

/** Runs an exchange, and tells a failure of the peer from a failure of the provider. */
export async function runExchange(exchange: Exchange, watch: Watch, channel: ControlChannel): Promise<void> {
  try {
    await exchange.run(watch);
  } catch (error) {
    if (!(error instanceof FabricError)) throw error;
    // A dead peer shows first as a failed operation; the control connection says so right after.
    throw (await channel.failureWithin(500)) ?? error;
  }
}

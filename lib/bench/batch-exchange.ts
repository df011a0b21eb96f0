import type { CompletionBatch, CompletionQueue, Endpoint } from '../index.js';
import { BenchError } from './errors.js';
import { SLICE_MILLISECONDS, type Exchange, type Watch } from './exchange.js';
import type { Link } from './link.js';
import { checkPattern, type Role } from './pattern.js';
import type { Message } from './protocol.js';

/** The context of every send. */
export const SEND = 1;
/** The context of every receive. */
export const RECEIVE = 2;

/** How long one read of the queue may wait natively, in microseconds. */
export const SPIN_MICROSECONDS = 500;

/**
 * One end of a phase through the batch door: no promise, and nothing allocated for a message.
 * The subclasses are the loops.
 */
export abstract class BatchExchange implements Exchange {
  sent = 0;
  received = 0;
  /** Sends whose completion was read. */
  protected completed = 0;
  /** Receives posted. */
  protected posted = 0;
  protected readonly endpoint: Endpoint;
  protected readonly queue: CompletionQueue;
  protected readonly batch: CompletionBatch;
  protected readonly peer: number;
  protected readonly transmitBuffer: Buffer;
  protected readonly receiveBuffer: Buffer;
  protected readonly start: Message<'start'>;
  readonly #sender: Role;

  constructor(link: Link, start: Message<'start'>) {
    this.endpoint = link.endpoint;
    this.queue = link.endpoint.completionQueue;
    this.batch = link.batch;
    this.peer = link.peer;
    this.transmitBuffer = link.transmitBuffer.subarray(0, start.size);
    this.receiveBuffer = link.receiveBuffer.subarray(0, start.size);
    this.start = start;
    this.#sender = link.role === 'client' ? 'server' : 'client';
    this.receiveBuffer.fill(0);
  }

  get moved(): number {
    return this.sent + this.completed + this.received;
  }

  abstract get iteration(): number;
  abstract prepare(): void;

  /** Goes on until the phase is over (true) or the clock has passed `until` (false). */
  protected abstract advance(until: number): boolean;

  async run(watch: Watch): Promise<void> {
    while (!this.advance(performance.now() + SLICE_MILLISECONDS)) await watch.yield();
  }

  /** Checks what arrived last, and clears it so that the next message has to write it again. */
  protected verify(): void {
    const { phase, size } = this.start;
    const where = `${phase}, size ${size}, iteration ${this.iteration}`;
    checkPattern(this.receiveBuffer, this.#sender, where);
    this.receiveBuffer.fill(0);
  }

  /** Throws what the completion at `index` says: a failed operation, or a message of a wrong length. */
  protected fail(index: number): never {
    const { phase, size } = this.start;
    const operation = this.batch.context[index] === SEND ? 'send' : 'receive';
    const where = `${phase}, size ${size}, iteration ${this.iteration}`;
    const error = this.batch.error[index]!;
    if (error === 0) {
      throw new BenchError(
        'INTEGRITY',
        `wrong data in ${where}: ${this.batch.length[index]} bytes arrived where ${size} were due`,
      );
    }
    throw this.queue.errorOf(this.batch, index, `a ${operation} failed in ${where}`)!;
  }
}

import type { CompletionBatch, CompletionQueue, PostBatch } from '../index.js';
import { BenchError } from './errors.js';
import { SLICE_MILLISECONDS, type Exchange, type Watch } from './exchange.js';
import type { Link } from './link.js';
import { checkPattern } from './pattern.js';
import type { Message } from './protocol.js';

/** The context of every send, read and write of stream 0; see {@link contextOf}. */
export const SEND = 1;
/** The context of every receive. */
export const RECEIVE = 2;

/** How long one read of the queue may wait natively, in microseconds. */
export const SPIN_MICROSECONDS = 500;

/** Contexts say what it was, and of which stream. */
export const contextOf = (kind: number, stream: number): number => kind | (stream << 2);
/** What it was. */
export const kindOf = (context: number): number => context & 3;
/** Of which stream. */
export const streamOf = (context: number): number => context >>> 2;

/**
 * One end of a phase through the batch door: no promise, and nothing allocated for a message.
 * The subclasses are the loops.
 */
export abstract class BatchExchange implements Exchange {
  sent = 0;
  received = 0;
  /** Sends whose completion was read. */
  protected completed = 0;
  protected readonly link: Link;
  protected readonly queue: CompletionQueue;
  protected readonly batch: CompletionBatch;
  protected readonly transmitBuffer: Buffer;
  protected readonly receiveBuffer: Buffer;
  protected readonly start: Message<'start'>;

  constructor(link: Link, start: Message<'start'>) {
    this.link = link;
    this.queue = link.queue;
    this.batch = link.batch;
    this.transmitBuffer = link.transmitBuffer.subarray(0, start.size);
    this.receiveBuffer = link.receiveBuffer.subarray(0, start.size);
    this.start = start;
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

  /** Checks what arrived, and clears it so that the next message has to write it again. */
  protected verify(buffers: readonly Buffer[] = [this.receiveBuffer]): void {
    for (const buffer of buffers) {
      checkPattern(buffer, this.link.sender, this.where);
      buffer.fill(0);
    }
  }

  /** Posts what is left of `posts`, reads completions, and has each looked at. */
  protected poll(spinMicroseconds: number, posts?: PostBatch): void {
    const { context, error, length } = this.batch;
    const count = this.queue.read(this.batch, spinMicroseconds, posts);
    for (let index = 0; index < count; index++) {
      if (error[index] !== 0) this.fail(index);
      this.onCompletion(kindOf(context[index]!), streamOf(context[index]!), length[index]!, index);
    }
  }

  /** What a completion means. */
  protected onCompletion(kind: number, _stream: number, _length: number, index: number): void {
    if (kind !== SEND) this.fail(index);
    this.completed++;
  }

  protected get where(): string {
    return `${this.start.phase}, size ${this.start.size}, iteration ${this.iteration}`;
  }

  /** Throws what the completion at `index` says: a failed operation, or a message of a wrong length. */
  protected fail(index: number): never {
    const operation = kindOf(this.batch.context[index]!) === SEND ? 'send' : 'receive';
    const error = this.batch.error[index]!;
    if (error === 0) {
      throw new BenchError(
        'INTEGRITY',
        `wrong data in ${this.where}: ${this.batch.length[index]} bytes arrived where ${this.start.size} were due`,
      );
    }
    throw this.queue.errorOf(this.batch, index, `a ${operation} failed in ${this.where}`)!;
  }
}

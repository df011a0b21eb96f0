/** Windows of messages through the promise door. */
import type { Completion } from '../index.js';
import { AwaitedExchange } from './awaited.js';
import type { Link, Stream } from './link.js';
import { isOneSided } from './operations.js';
import type { Message } from './protocol.js';
import { WindowClock } from './window-clock.js';
import { ACKNOWLEDGEMENT_BYTES } from './windows.js';

/** Windows of all streams, one after the other in each; those of the warm-up first. */
abstract class AwaitedWindows extends AwaitedExchange {
  readonly clock: WindowClock;
  /** How many windows each stream is through. */
  readonly #done: number[];
  /** Where each message of a window arrives, where each is looked at; else all in one place. */
  readonly #buffers: readonly (readonly Buffer[])[];

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    this.clock = new WindowClock(start);
    this.#done = link.streams.map(() => 0);
    this.#buffers = link.streams.map((_, index) => {
      if (link.operation === 'writedata' || (!link.verifies && index === 0)) return [this.receiveBuffer];
      return Array.from({ length: link.verifies ? start.window : 1 }, () => Buffer.alloc(start.size));
    });
  }

  protected abstract runWindow(stream: Stream, index: number): Promise<void>;

  protected override async exchange(): Promise<void> {
    for (let begun = 0; begun < this.total;) {
      const allowed = this.clock.allowed(begun);
      await Promise.all(
        this.link.streams.map(async (stream, index) => {
          while (this.#done[index]! < allowed) {
            await this.runWindow(stream, index);
            this.#done[index]!++;
            this.iteration = Math.min(...this.#done);
          }
        }),
      );
      begun = allowed;
    }
    this.clock.stop();
  }

  /** The receives of a window. */
  protected receiveWindow(stream: Stream, index: number): Promise<Completion>[] {
    const buffers = this.#buffers[index]!;
    return Array.from({ length: this.start.window }, (_, message) =>
      this.receive(stream, buffers[message % buffers.length]),
    );
  }

  protected async awaitWindow(receives: readonly Promise<Completion>[], index: number): Promise<void> {
    for (const completion of await Promise.all(receives)) this.checkLength(completion);
    this.outstanding = this.outstanding.filter((receive) => !receives.includes(receive));
    this.verifyUntimed(this.#buffers[index]);
  }

  /** Moves a window of messages; a read has a place to go to. */
  protected moveWindow(stream: Stream, index: number): Promise<Completion>[] {
    const buffers = this.#buffers[index]!;
    return Array.from({ length: this.start.window }, (_, message) =>
      this.move(stream, buffers[message % buffers.length]),
    );
  }

  /** Looks at what the reads of a window have brought. */
  protected verifyReads(index: number): void {
    if (this.link.operation === 'read') this.verifyUntimed(this.#buffers[index]);
  }
}

/** Sends a window of messages at once, and the next when that is acknowledged, or complete where nobody can. */
export class AwaitedWindowSender extends AwaitedWindows {
  readonly #acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);

  override prepare(): void {
    // Each acknowledgement's receive is posted right before its window.
  }

  protected override async runWindow(stream: Stream, index: number): Promise<void> {
    const isAlone = isOneSided(this.link.operation);
    const operations = isAlone ? [] : [acknowledged(stream, this.#acknowledgement, this.link)];
    await Promise.all([...operations, ...this.moveWindow(stream, index)]);
    if (!isAlone) this.received++;
    this.verifyReads(index);
  }
}

const ACKNOWLEDGEMENT_TAG = 2n;

const acknowledged = ({ endpoint }: Stream, buffer: Buffer, { operation }: Link): Promise<Completion> =>
  operation === 'tagged' ? endpoint.trecv(buffer, ACKNOWLEDGEMENT_TAG) : endpoint.recv(buffer);

const acknowledge = ({ endpoint, peer }: Stream, buffer: Buffer, { operation }: Link): Promise<Completion> =>
  operation === 'tagged' ? endpoint.tsend(buffer, peer, ACKNOWLEDGEMENT_TAG) : endpoint.send(buffer, peer);

/** Receives of the next window are posted before the last one is answered. */
abstract class AwaitedReceives extends AwaitedWindows {
  protected readonly next: Promise<Completion>[][] = [];
  readonly #begun: number[] = [];

  override prepare(): void {
    for (const [index, stream] of this.link.streams.entries()) {
      this.next[index] = this.receiveWindow(stream, index);
      this.#begun[index] = 1;
    }
  }

  protected receiveNext(stream: Stream, index: number): void {
    if (this.#begun[index]! >= this.total) return;
    this.next[index] = this.receiveWindow(stream, index);
    this.#begun[index]!++;
  }
}

/** Receives a window of messages, and acknowledges it. */
export class AwaitedWindowReceiver extends AwaitedReceives {
  readonly #acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);

  protected override async runWindow(stream: Stream, index: number): Promise<void> {
    await this.awaitWindow(this.next[index]!, index);
    this.receiveNext(stream, index);
    this.sent++;
    await acknowledge(stream, this.#acknowledgement, this.link);
  }
}

/** Sends a window and receives one, and begins the next when both are complete. */
export class AwaitedBidirectional extends AwaitedReceives {
  protected override async runWindow(stream: Stream, index: number): Promise<void> {
    const receives = this.next[index]!;
    // The other end may be a window ahead: what it sends then has somewhere to go.
    await Promise.all([...receives, ...this.moveWindow(stream, index)]);
    await this.awaitWindow(receives, index);
    this.receiveNext(stream, index);
  }
}

/** Bandwidth in both directions at once: both ends run the same loop. */
import { PostBatch } from '../index.js';
import { BatchExchange, contextOf, SEND, SPIN_MICROSECONDS } from './batch-exchange.js';
import type { Link } from './link.js';
import { postsOf } from './operations.js';
import type { Message } from './protocol.js';
import { ReceiveWindows } from './receive-windows.js';
import { WindowClock } from './window-clock.js';

interface Lane {
  window: PostBatch;
  receives: ReceiveWindows;
  begun: number;
  completed: number;
}

/**
 * Sends a window, and the next when that is sent and the other end's has arrived: nobody is more than one window ahead,
 * without acknowledgements.
 */
export class BidirectionalExchange extends BatchExchange {
  readonly clock: WindowClock;
  readonly #windows: number;
  readonly #lanes: readonly Lane[];

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    this.#windows = start.warmup + start.iterations;
    this.clock = new WindowClock(start);
    this.#lanes = link.streams.map((stream, index) => {
      const posts = postsOf(stream, link.operation);
      const window = new PostBatch(start.window);
      for (let message = 0; message < start.window; message++) {
        posts.sendData(this.transmitBuffer, contextOf(SEND, index), window);
      }
      window.rewind(0);
      const receives = new ReceiveWindows(link, start, posts, index, this.receiveBuffer);
      return { window, receives, begun: 0, completed: 0 };
    });
  }

  override get iteration(): number {
    return Math.min(...this.#lanes.map((lane) => this.#over(lane)));
  }

  override prepare(): void {
    for (const { receives } of this.#lanes) {
      while (receives.canArm) {
        this.poll(0, receives.arm());
        if (!receives.isPosted) break;
      }
    }
  }

  protected override advance(until: number): boolean {
    const { warmup, window } = this.start;
    while (performance.now() < until) {
      const allowed = this.clock.allowed(this.iteration);
      let isPosted = true;
      for (const lane of this.#lanes) {
        const { receives } = lane;
        while (receives.verified < receives.complete) {
          const isLooked = receives.verified < warmup || receives.verified === this.#windows - 1 || this.link.verifies;
          // One buffer for all messages is quiet only when nothing more can come.
          const isQuiet = this.link.verifies || receives.verified === this.#windows - 1;
          if (isLooked && isQuiet) this.verify(receives.buffersOf(receives.verified));
          receives.verified++;
        }
        if (receives.canArm) receives.arm();
        if (!receives.isPosted) this.poll(0, receives.posts);
        if (lane.window.isPosted && lane.begun < allowed && this.#over(lane) === lane.begun && this.#mayBegin) {
          lane.window.rewind();
          lane.begun++;
        }
        if (!lane.window.isPosted) this.poll(0, lane.window);
        isPosted &&= lane.window.isPosted && receives.isPosted && !receives.canArm;
      }
      this.sent = this.#lanes.reduce(
        (sum, lane) => sum + (lane.begun === 0 ? 0 : (lane.begun - 1) * window + lane.window.position),
        0,
      );
      this.poll(isPosted ? SPIN_MICROSECONDS : 0);
      if (this.iteration < this.#windows) continue;
      this.clock.stop();
      return true;
    }
    return false;
  }

  protected override onCompletion(kind: number, stream: number, length: number, index: number): void {
    const lane = this.#lanes[stream]!;
    if (kind === SEND) {
      lane.completed++;
      this.completed++;
      return;
    }
    if (length !== this.start.size) this.fail(index);
    lane.receives.received++;
    this.received++;
  }

  /** The server waits for the client, which does not look at what arrives before it has begun. */
  get #mayBegin(): boolean {
    return this.link.role === 'client' || this.received > 0;
  }

  /** Windows that are sent, and have arrived and been looked at. */
  #over({ completed, receives }: Lane): number {
    return Math.min(Math.floor(completed / this.start.window), receives.verified);
  }
}

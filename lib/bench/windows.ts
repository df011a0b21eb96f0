/** Bandwidth and message rate in one direction: windows of messages, each acknowledged by a small one. */
import { PostBatch } from '../index.js';
import { BatchExchange, contextOf, RECEIVE, SEND, SPIN_MICROSECONDS } from './batch-exchange.js';
import type { Link } from './link.js';
import { injects, postsOf, type Posts } from './operations.js';
import type { Message } from './protocol.js';
import { ReceiveWindows } from './receive-windows.js';
import { WindowClock } from './window-clock.js';

/** Bytes of the message with which the receiver acknowledges a window. */
export const ACKNOWLEDGEMENT_BYTES = 4;

/** How many acknowledgements the sender has receives for. */
const ACKNOWLEDGEMENTS_AHEAD = 2;

/** What the sender has of each stream. */
interface SendLane {
  /** A window of messages, posted in one call. */
  window: PostBatch;
  posts: Posts;
  /** Windows begun. */
  begun: number;
  acknowledged: number;
  /** Receives posted for acknowledgements. */
  posted: number;
}

/** Keeps a window of messages in flight in each stream, and sends the next when the last is acknowledged. */
export class WindowSender extends BatchExchange {
  readonly clock: WindowClock;
  readonly #acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);
  readonly #windows: number;
  readonly #lanes: readonly SendLane[];
  /** Sends that complete, of each window. */
  readonly #completions: number;

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    this.#windows = start.warmup + start.iterations;
    this.clock = new WindowClock(start);
    // Bandwidth is asked of sends as programs make them; a rate, of the fastest way.
    const isInjected = start.phase === 'rate' && injects(link.stream, link.operation, start.size);
    this.#completions = isInjected ? 0 : start.window;
    this.#lanes = link.streams.map((stream, index) => {
      const posts = postsOf(stream, link.operation);
      const window = new PostBatch(start.window);
      for (let message = 0; message < start.window; message++) {
        if (isInjected) stream.endpoint.postInject(this.transmitBuffer, stream.peer, window);
        else posts.sendData(this.transmitBuffer, contextOf(SEND, index), window);
      }
      window.rewind(0);
      return { window, posts, begun: 0, acknowledged: 0, posted: 0 };
    });
  }

  override get iteration(): number {
    return Math.min(...this.#lanes.map(({ acknowledged }) => acknowledged));
  }

  override prepare(): void {
    for (const [index, lane] of this.#lanes.entries()) this.#postReceives(lane, index);
  }

  protected override advance(until: number): boolean {
    const { window } = this.start;
    while (performance.now() < until) {
      const allowed = this.clock.allowed(this.iteration);
      let isPosted = true;
      for (const [index, lane] of this.#lanes.entries()) {
        if (lane.window.isPosted && lane.begun < allowed && lane.acknowledged === lane.begun) {
          lane.window.rewind();
          lane.begun++;
        }
        if (!lane.window.isPosted) this.poll(0, lane.window);
        this.#postReceives(lane, index);
        isPosted &&= lane.window.isPosted;
      }
      this.sent = this.#lanes.reduce(
        (sum, lane) => sum + (lane.begun === 0 ? 0 : (lane.begun - 1) * window + lane.window.position),
        0,
      );
      this.poll(isPosted ? SPIN_MICROSECONDS : 0);
      if (this.iteration < this.#windows) continue;
      if (this.completed < this.#lanes.length * this.#windows * this.#completions) continue;
      this.clock.stop();
      return true;
    }
    return false;
  }

  protected override onCompletion(kind: number, stream: number): void {
    if (kind === SEND) {
      this.completed++;
    } else {
      this.#lanes[stream]!.acknowledged++;
      this.received++;
    }
  }

  #postReceives(lane: SendLane, index: number): void {
    while (lane.posted < Math.min(this.#windows, lane.acknowledged + ACKNOWLEDGEMENTS_AHEAD)) {
      if (!lane.posts.receiveAcknowledgement(this.#acknowledgement, contextOf(RECEIVE, index))) return;
      lane.posted++;
    }
  }
}

/** What the receiver has of each stream. */
interface ReceiveLane {
  windows: ReceiveWindows;
  posts: Posts;
  acknowledged: number;
}

/** Keeps receives posted for a window and the next, and acknowledges each window. */
export class WindowReceiver extends BatchExchange {
  readonly #acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);
  readonly #windows: number;
  readonly #lanes: readonly ReceiveLane[];

  constructor(link: Link, start: Message<'start'>) {
    super(link, start);
    this.#windows = start.warmup + start.iterations;
    this.#lanes = link.streams.map((stream, index) => {
      const posts = postsOf(stream, link.operation);
      return { windows: new ReceiveWindows(link, start, posts, index, this.receiveBuffer), posts, acknowledged: 0 };
    });
  }

  override get iteration(): number {
    return Math.min(...this.#lanes.map(({ acknowledged }) => acknowledged));
  }

  override prepare(): void {
    for (const { windows } of this.#lanes) {
      while (windows.canArm) {
        this.poll(0, windows.arm());
        if (!windows.isPosted) break;
      }
    }
  }

  protected override advance(until: number): boolean {
    const { warmup } = this.start;
    while (performance.now() < until) {
      let isPosted = true;
      for (const [index, lane] of this.#lanes.entries()) {
        const { windows, posts } = lane;
        const isComplete = windows.complete > lane.acknowledged;
        // Nothing can arrive before the window is acknowledged: its buffers are quiet.
        const isLooked = lane.acknowledged < warmup || lane.acknowledged === this.#windows - 1 || this.link.verifies;
        if (isComplete && isLooked && windows.verified === lane.acknowledged) {
          this.verify(windows.buffersOf(lane.acknowledged));
        }
        if (isComplete) windows.verified = lane.acknowledged + 1;
        if (windows.canArm) windows.arm();
        if (!windows.isPosted) this.poll(0, windows.posts);
        const isReady = windows.isPosted && windows.armed >= Math.min(this.#windows, lane.acknowledged + 2);
        if (isComplete && isReady && posts.sendAcknowledgement(this.#acknowledgement, contextOf(SEND, index))) {
          lane.acknowledged++;
          this.sent++;
        }
        isPosted &&= windows.isPosted && windows.complete === lane.acknowledged;
      }
      this.poll(isPosted ? SPIN_MICROSECONDS : 0);
      if (this.completed >= this.#windows * this.#lanes.length) return true;
    }
    return false;
  }

  protected override onCompletion(kind: number, stream: number, length: number, index: number): void {
    if (kind === SEND) {
      this.completed++;
      return;
    }
    if (length !== this.start.size) this.fail(index);
    this.received++;
    this.#lanes[stream]!.windows.received++;
  }
}

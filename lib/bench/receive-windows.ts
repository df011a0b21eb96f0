import { PostBatch } from '../index.js';
import { contextOf, RECEIVE } from './batch-exchange.js';
import type { Link } from './link.js';
import type { Posts } from './operations.js';
import type { Message } from './protocol.js';

/** How many windows of receives are posted ahead, where the queue has room for them. */
const WINDOWS_AHEAD = 2;

/** The receives of one stream, posted a window at a time, one call each. */
export class ReceiveWindows {
  received = 0;
  /** Windows whose receives were posted, or begun to be. */
  armed = 0;
  /** Windows whose data was looked at. */
  verified = 0;
  readonly #window: number;
  readonly #windows: number;
  /** One for each window ahead, and where it receives: one buffer for all of a stream, unless each message is looked at. */
  readonly #sets: readonly { posts: PostBatch; buffers: Buffer[] }[];

  constructor(
    link: Link,
    { window, warmup, iterations, size }: Message<'start'>,
    posts: Posts,
    stream: number,
    buffer: Buffer,
  ) {
    this.#window = window;
    this.#windows = warmup + iterations;
    const ahead = window * WINDOWS_AHEAD <= link.local.receiveSize ? WINDOWS_AHEAD : 1;
    // A stream looks at its data, and clears it, when nothing can come: to itself.
    const shared = stream === 0 ? buffer : Buffer.alloc(size);
    this.#sets = Array.from({ length: ahead }, () => {
      const memory = link.verifies ? Buffer.alloc(size * window) : shared;
      const batch = new PostBatch(window);
      const buffers = Array.from({ length: window }, (_, index) =>
        link.verifies ? memory.subarray(index * size, (index + 1) * size) : shared,
      );
      for (const each of buffers) posts.receiveData(each, contextOf(RECEIVE, stream), batch);
      batch.rewind(0);
      return { posts: batch, buffers: link.verifies ? buffers : [shared] };
    });
  }

  /** Windows that have arrived as a whole. */
  get complete(): number {
    return Math.floor(this.received / this.#window);
  }

  /** Whether the receives of another window can be posted: they take the place of one that is over. */
  get canArm(): boolean {
    return this.isPosted && this.armed < Math.min(this.#windows, this.complete + this.#sets.length);
  }

  /** The window that is being posted. */
  get posts(): PostBatch {
    return this.#sets[Math.max(this.armed - 1, 0) % this.#sets.length]!.posts;
  }

  get isPosted(): boolean {
    return this.posts.isPosted;
  }

  /** Begins to post the next window. */
  arm(): PostBatch {
    this.armed++;
    this.posts.rewind();
    return this.posts;
  }

  /** Where the messages of a window are. */
  buffersOf(window: number): readonly Buffer[] {
    return this.#sets[window % this.#sets.length]!.buffers;
  }
}

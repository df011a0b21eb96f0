/** Posts that the provider refused for now (-FI_EAGAIN), to be tried again in order: flow control. */
import type { PendingOperation } from './operation.js';

/** One of them. */
export interface BlockedPost {
  readonly operation: PendingOperation;
  /** Posts again. @returns the operation's slot, or a negative libfabric code. */
  readonly post: () => number;
  /** What has to stay reachable meanwhile, so that its memory stays in place. */
  readonly buffers: ArrayBufferView | readonly ArrayBufferView[];
}

/** What becomes of a blocked post. */
export interface BlockedPostsClient {
  /** The provider took it. */
  posted(operation: PendingOperation, slot: number): void;
  /** It will not be posted any more. */
  dropped(operation: PendingOperation, error: unknown): void;
}

/** The blocked posts of one direction of an endpoint. */
export class BlockedPosts {
  readonly #posts: BlockedPost[] = [];

  constructor(
    private readonly client: BlockedPostsClient,
    /** Throws for a code other than "full". */
    private readonly checkPost: (result: number, syscall: string) => void,
  ) {}

  get isEmpty(): boolean {
    return this.#posts.length === 0;
  }

  add(post: BlockedPost): void {
    this.#posts.push(post);
  }

  /** Posts again, in order, until the provider is full. @returns whether all are gone. */
  retry(): boolean {
    for (let first = this.#posts[0]; first !== undefined; first = this.#posts[0]) {
      const { operation, post } = first;
      try {
        const slot = post();
        this.checkPost(slot, operation.syscall);
        if (slot < 0) return false;
        this.#posts.shift();
        this.client.posted(operation, slot);
      } catch (error) {
        this.#posts.shift();
        this.client.dropped(operation, error);
      }
    }
    return true;
  }

  /** Gives one up. @returns whether it was here. */
  remove(operation: PendingOperation): boolean {
    const index = this.#posts.findIndex((post) => post.operation === operation);
    if (index >= 0) this.#posts.splice(index, 1);
    return index >= 0;
  }

  /** Gives all up. */
  clear(): PendingOperation[] {
    return this.#posts.splice(0).map(({ operation }) => operation);
  }
}

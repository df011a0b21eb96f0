/** One operation of the promise door, from its post until its promise is settled. */
import { setMaxListeners } from 'node:events';
import { ERRORS } from './constants.js';
import { fabricError, type FabricError } from './errors.js';

/** How an operation of the promise door ended well. */
export interface Completion {
  /** Bytes received; for a send what the provider says, often 0. */
  readonly length: number;
  /** What completed: FI_SEND, FI_RECV, FI_TAGGED … (fi_cq(3)). */
  readonly flags: bigint;
  /** Tag of a tagged operation. */
  readonly tag?: bigint;
  /** Immediate data of the peer, when it sent some. */
  readonly data?: bigint;
  /** @internal Where in its ArrayBuffer a message of a multi-receive is; -1 when there is none. */
  readonly offset?: number;
  /** Who sent a message, as an index of the address vector, where the endpoint has FI_SOURCE and the sender is known. */
  readonly source?: number;
}

/** Options of an operation. */
export interface OperationOptions {
  /**
   * Cancels the operation (fi_cancel(3)). Its promise rejects once the provider has let go of the buffer; after a second
   * at the latest, when the provider cannot cancel it. Such a buffer stays in use until the endpoint is closed.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What the queue needs to know of the endpoint that posted. */
export interface OperationOwner {
  /** An operation of this endpoint has ended. */
  settled(): void;
  /** The provider may have room again. */
  retryBlocked(): void;
}

/** What to try, by error. */
const HINTS: Readonly<Record<number, string>> = {
  [ERRORS.FI_ETRUNC]: 'The message is longer than the buffer that was posted for it; post a larger one.',
  [ERRORS.FI_ECANCELED]:
    'The endpoint was closed, its connection ended, or the operation was cancelled, before it completed.',
};

/** An operation whose promise is pending. */
export class PendingOperation {
  readonly promise: Promise<Completion>;
  resolve!: (completion: Completion) => void;
  reject!: (error: unknown) => void;
  #unlisten: (() => void) | undefined;
  #signal: AbortSignal | undefined;

  constructor(
    readonly owner: OperationOwner,
    readonly syscall: string,
    readonly tagged: boolean,
    /** Whether it is over when the provider has taken it. */
    readonly isInjected: boolean,
    /** FI_MULTI_RECV: it completes for each message, and is over when a completion has that flag. */
    readonly isMany = false,
  ) {
    this.promise = new Promise<Completion>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Calls `cancel` when the signal fires before the operation has ended. */
  listen(signal: AbortSignal, cancel: () => void): void {
    this.#signal = signal;
    // One signal for any number of operations is normal use, not a leak of listeners.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', cancel, { once: true });
    this.#unlisten = () => {
      signal.removeEventListener('abort', cancel);
    };
  }

  /** Nothing more will come of it. */
  ended(): void {
    this.owner.settled();
  }

  succeed(completion: Completion): void {
    this.#unlisten?.();
    this.resolve(completion);
  }

  /** Rejects with the signal's reason when that was the cause, else with a FabricError. */
  fail(errno: number, provider?: { errno: number; message: string }): void {
    this.#unlisten?.();
    if (errno === ERRORS.FI_ECANCELED && this.#signal?.aborted === true) {
      this.reject(this.#signal.reason);
    } else {
      this.reject(this.#error(errno, provider));
    }
  }

  #error(errno: number, provider: { errno: number; message: string } | undefined): FabricError {
    const doing = `${this.syscall.replace('fi_', '')} failed`;
    const hint = HINTS[errno];
    // Where the error itself says all, providers leave in their own number what happened to be there.
    return fabricError(doing, {
      errno,
      syscall: this.syscall,
      hint,
      provider: hint === undefined ? provider : undefined,
    });
  }
}

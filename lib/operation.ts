/** One operation of the promise door, from its post until its promise is settled. */
import { setMaxListeners } from 'node:events';
import { ERRORS } from './constants.js';
import type { FabricError } from './errors.js';
import { operationError, type ProviderFailure } from './operation-error.js';

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

/** An operation whose promise is pending. */
export class PendingOperation {
  readonly promise: Promise<Completion>;
  resolve!: (completion: Completion) => void;
  reject!: (error: unknown) => void;
  #unlisten: (() => void) | undefined;
  #signal: AbortSignal | undefined;
  #reason: FabricError | undefined;

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

  /** It is about to be cancelled since its endpoint has failed. */
  cancelledFor(reason: FabricError | undefined): void {
    this.#reason = reason;
  }

  /** Nothing more will come of it. */
  ended(): void {
    this.owner.settled();
  }

  succeed(completion: Completion): void {
    this.#unlisten?.();
    this.resolve(completion);
  }

  /** Rejects with the reason why it was cancelled when somebody gave one, else with a FabricError. */
  fail(errno: number, provider?: ProviderFailure): void {
    this.#unlisten?.();
    if (errno === ERRORS.FI_ECANCELED && this.#signal?.aborted === true) {
      this.reject(this.#signal.reason);
    } else if (errno === ERRORS.FI_ECANCELED && this.#reason !== undefined) {
      this.reject(this.#reason);
    } else {
      const { syscall } = this;
      this.reject(operationError(`${syscall.replace('fi_', '')} failed`, { errno, syscall }, provider));
    }
  }
}

/** What peers wrote with immediate data: completions that no operation of this process asked for. */
import { ERRORS } from './constants.js';
import { fabricError } from './errors.js';
import type { Completion } from './operation.js';

/** How many are kept for somebody to ask for: a peer decides how many there are. */
const LIMIT = 1 << 16;

interface Waiter {
  readonly resolve: (completion: Completion) => void;
  readonly reject: (error: unknown) => void;
  readonly unlisten: () => void;
}

export class RemoteWrites {
  readonly #arrived: Completion[] = [];
  readonly #waiting: Waiter[] = [];
  #lost = 0;

  /** @param changed - Somebody waits (1), or waits no more (-1). */
  constructor(private readonly changed: (change: number) => void) {}

  get waiting(): number {
    return this.#waiting.length;
  }

  push(completion: Completion): void {
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) {
      this.#end(waiter);
      waiter.resolve(completion);
    } else if (this.#arrived.length < LIMIT) {
      this.#arrived.push(completion);
    } else {
      this.#lost++;
    }
  }

  next(signal: AbortSignal | undefined): Promise<Completion> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    if (this.#lost > 0) {
      const hint = `${this.#lost} were lost: more than ${LIMIT} waited to be asked for.`;
      this.#lost = 0;
      return Promise.reject(
        fabricError('a write of a peer was lost', { errno: ERRORS.FI_EOVERRUN, syscall: 'fi_cq_read', hint }),
      );
    }
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        this.#end(waiter);
        reject(signal!.reason as Error);
      };
      const unlisten = (): void => signal?.removeEventListener('abort', abort);
      const waiter: Waiter = { resolve, reject, unlisten };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiter);
      this.changed(1);
    });
  }

  /** Nothing comes any more. */
  fail(errno: number): void {
    for (const waiter of this.#waiting.splice(0)) {
      this.#end(waiter);
      waiter.reject(fabricError('waiting for a write of a peer failed', { errno, syscall: 'fi_cq_read' }));
    }
  }

  #end(waiter: Waiter): void {
    waiter.unlisten();
    this.changed(-1);
  }
}

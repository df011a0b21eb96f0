/** struct fid_cntr: how many operations have completed. */
import { binding } from './binding.js';
import { ERRORS } from './constants.js';
import { Domain } from './domain.js';
import { check, fabricError, show } from './errors.js';
import { argumentHandle, handleOf, Resource } from './resource.js';

/** Options of {@link Counter.wait}. */
export interface CounterWaitOptions {
  /** Gives up: rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Gives up after so many milliseconds with `FI_ETIMEDOUT`. @defaultValue none */
  readonly timeout?: number | undefined;
}

/** How long a wait looks in every turn of the event loop, in milliseconds … */
const SPIN = 0.5;
/**
 * … and then how long from look to look. Most providers have no descriptor for counters; sockets has one that nobody but the
 * reader empties, and its progress thread stands still when that is full. Reading makes progress.
 */
const BACK_OFF = [1, 1, 1, 2, 2, 4, 8];

/**
 * Counts completions of the endpoints and regions that it is bound to: fi_cntr(3).
 *
 * Counts are numbers here, exact up to 2^53.
 */
export class Counter extends Resource {
  readonly domain: Domain;
  readonly #waiting = new Set<() => void>();
  /** What tells operations that begin at a threshold that it will not be reached. */
  readonly #thresholds = new Map<number, AbortController>();
  #last = 0;

  /** fi_cntr_open(3). @throws FabricError when the provider has no counters. */
  constructor(domain: Domain) {
    const handle = binding.counterOpen(argumentHandle(domain, Domain, 'domain'));
    super(check<number>(handle, 'fi_cntr_open', 'cannot open a counter'), binding.counterClose, [domain]);
    this.domain = domain;
  }

  /** Operations that have completed: fi_cntr_read(3). Makes progress where the provider needs that. */
  read(): number {
    return check<number>(binding.counterRead(handleOf(this)), 'fi_cntr_read', 'cannot read a counter');
  }

  /** Operations that have failed: fi_cntr_readerr(3). */
  readerr(): number {
    return check<number>(binding.counterReaderr(handleOf(this)), 'fi_cntr_readerr', 'cannot read a counter');
  }

  /** Adds to the count: fi_cntr_add(3). */
  add(value: number): void {
    check(binding.counterAdd(handleOf(this), checkCount(value, 'value')), 'fi_cntr_add', 'cannot add to a counter');
  }

  /** Adds to the count of failures: fi_cntr_adderr(3). */
  adderr(value: number): void {
    const result = binding.counterAdderr(handleOf(this), checkCount(value, 'value'));
    check(result, 'fi_cntr_adderr', 'cannot add to a counter');
  }

  /** Sets the count: fi_cntr_set(3). Only while nothing that it counts is in flight. */
  set(value: number): void {
    check(binding.counterSet(handleOf(this), checkCount(value, 'value')), 'fi_cntr_set', 'cannot set a counter');
  }

  /** Sets the count of failures: fi_cntr_seterr(3). */
  seterr(value: number): void {
    const result = binding.counterSeterr(handleOf(this), checkCount(value, 'value'));
    check(result, 'fi_cntr_seterr', 'cannot set a counter');
  }

  /**
   * Waits until the count is `threshold` or more: what fi_cntr_wait(3) does, without blocking the event loop.
   *
   * @returns the count.
   * @throws FabricError: rejects with `FI_EAVAIL` when an operation fails meanwhile, `FI_ETIMEDOUT`, or `FI_ECANCELED` when
   * the counter is closed.
   */
  wait(threshold: number, { signal, timeout }: CounterWaitOptions = {}): Promise<number> {
    checkCount(threshold, 'threshold');
    if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 0)) {
      throw new RangeError(`options.timeout: expected milliseconds, not ${show(timeout)}`);
    }
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const failures = this.readerr();
    const start = performance.now();
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      let immediate: NodeJS.Immediate | undefined;
      let looks = 0;
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        clearImmediate(immediate);
        this.#waiting.delete(look);
        this.domain.listeners.delete(look);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const fail = (errno: number, hint: string): void => {
        end(() => {
          reject(fabricError(`waiting for a count of ${threshold} failed`, { errno, syscall: 'fi_cntr_wait', hint }));
        });
      };
      const abort = (): void => {
        end(() => {
          reject(signal!.reason as Error);
        });
      };
      const look = (): void => {
        if (this.closed) {
          fail(ERRORS.FI_ECANCELED, 'The counter was closed.');
          return;
        }
        const count = this.read();
        if (count >= threshold) {
          end(() => {
            resolve(count);
          });
        } else if (this.readerr() > failures) {
          fail(ERRORS.FI_EAVAIL, `An operation failed while the count was ${count}; its own promise says why.`);
        } else if (timeout !== undefined && performance.now() - start >= timeout) {
          fail(ERRORS.FI_ETIMEDOUT, `The count is ${count} after ${timeout} ms.`);
        } else {
          again();
        }
      };
      const again = (): void => {
        clearTimeout(timer);
        clearImmediate(immediate);
        if (performance.now() - start < SPIN) {
          immediate = setImmediate(look);
          return;
        }
        const pause = BACK_OFF[Math.min(looks++, BACK_OFF.length - 1)]!;
        const left = timeout === undefined ? pause : timeout - (performance.now() - start);
        timer = setTimeout(look, Math.min(pause, Math.max(left, 0)));
      };
      this.#waiting.add(look);
      this.domain.listeners.add(look);
      signal?.addEventListener('abort', abort, { once: true });
      look();
    });
  }

  /** @internal A signal that fires when the counter is closed before it has reached `threshold`. */
  unreachable(threshold: number): AbortSignal {
    const count = this.read();
    for (const passed of this.#thresholds.keys()) {
      if (passed <= count) this.#thresholds.delete(passed);
    }
    const controller = this.#thresholds.get(threshold) ?? new AbortController();
    this.#thresholds.set(threshold, controller);
    return controller.signal;
  }

  /** @internal */
  override beforeClose(): void {
    this.#last = binding.counterRead(handleOf(this));
  }

  /** @internal */
  override afterClose(): void {
    for (const look of [...this.#waiting]) look();
    for (const [threshold, controller] of this.#thresholds) {
      if (threshold <= this.#last) continue;
      controller.abort(
        fabricError(`the counter was closed before it reached ${threshold}`, {
          errno: ERRORS.FI_ECANCELED,
          syscall: 'fi_trigger',
        }),
      );
    }
  }
}

/** @throws RangeError for what is no count. */
export function checkCount(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`${name}: expected a count, not ${show(value)}`);
}

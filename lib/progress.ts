/** When a completion queue spins, waits on its descriptor, or backs off: policy. native/progress.cc has the mechanism. */
import { binding, PROGRESS_INTERVAL_SHIFT, PROGRESS_RETRY, PROGRESS_SPENT, type ProgressReport } from './binding.js';
import { ERRORS } from './constants.js';

/**
 * How completions of the promise door are found.
 *
 * - `auto`: spins while traffic flows, then waits on the queue's file descriptor, or with a timer that backs off where the
 *   provider has none. It spins half a millisecond at most, and less where completions are too far apart for that.
 * - `spin`: spins as long as an operation is outstanding. Lowest latency, one core.
 * - `wait`: waits at once. Lowest CPU use, a wake-up of latency for each message.
 * - `manual`: does nothing; the application calls {@link CompletionQueue.read}.
 */
export type ProgressMode = 'auto' | 'spin' | 'wait' | 'manual';

export const PROGRESS_MODES: readonly ProgressMode[] = ['auto', 'spin', 'wait', 'manual'];

/** How long each mode spins after the last completion, in microseconds, unless told otherwise … */
const SPIN_MICROSECONDS = { auto: 500, spin: 100_000, wait: 0 };
/**
 * … and `auto` where a timer has to do for a descriptor: longer than that sleeps at first. Else two ends that have once fallen
 * asleep would find each other asleep for ever.
 */
const TIMER_SPIN_MICROSECONDS = 2500;
/** `auto` halves it where it was in vain, down to a share of this. A timer's it leaves alone. */
const LEAST_SHARE = 1 / 16;

/**
 * Timer without a descriptor: milliseconds between polls while an operation is outstanding, from the first to the last,
 * twice each …
 */
const BACK_OFF = [1, 64] as const;
/** … while posts are blocked … */
const BLOCKED_BACK_OFF = [1, 4] as const;
/** … and while nothing is outstanding, when only the provider's own housekeeping needs a call. */
const IDLE_INTERVAL = 64;
/** With a descriptor: a poll in case the provider's signal got lost, while an operation is outstanding. */
const SAFETY_INTERVAL = 250;
/** How often in a row fi_trywait may say "not yet" before a timer takes over from spinning. */
const TRYWAIT_LIMIT = 8;

/**
 * How often in a row a descriptor may wake us for nothing before a timer takes over from it, for good. That of libfabric
 * 1.17's net stays readable for ever once a message has come.
 */
const FALSE_ALARM_LIMIT = 32;
/** What progress is made for. */
export interface ProgressClient {
  /** `count` completions of the promise door are in the ring. */
  dispatch(count: number): void;
  /** Tries blocked posts again. */
  retryBlocked(): void;
  /** Nothing has come for as long as it spun. */
  fellQuiet(): void;
  /** The queue has failed with a negative libfabric code. */
  fail(result: number): void;
  /** Operations whose promise is pending. */
  readonly outstanding: number;
  /** Whether the process has to stay alive for them. */
  readonly referenced: boolean;
  /** Whether posts wait for the provider to take them. */
  readonly blocked: boolean;
}

/** Drives one completion queue from the event loop. */
export class Progress {
  readonly #queue: number;
  readonly #mode: Exclude<ProgressMode, 'manual'>;
  readonly #spinMicroseconds: number | undefined;
  /** Whether the queue's descriptor tells when completions come. */
  #hasDescriptor: boolean;
  /** In nanoseconds. */
  #longestSpin: number;
  #spinBudget: number;
  // Weak, since the native side holds on to this object for as long as the queue is open: an unreachable queue can be
  // collected, and is closed then.
  readonly #client: WeakRef<ProgressClient>;
  #spinning = false;
  #referenced = false;
  #refusedWaits = 0;
  /** Whether the descriptor is being waited on. */
  #armed = false;
  #falseAlarms = 0;
  /** When the last completion came, if a spin has found none since: milliseconds. */
  #quietSince: number | undefined;

  constructor(
    queue: number,
    ring: number,
    capacity: number,
    mode: Exclude<ProgressMode, 'manual'>,
    client: ProgressClient,
    spinMicroseconds: number | undefined,
  ) {
    this.#queue = queue;
    this.#mode = mode;
    this.#spinMicroseconds = spinMicroseconds;
    this.#hasDescriptor = binding.completionQueueDescriptor(queue) >= 0;
    this.#longestSpin = this.#spinBudget = this.#nanosecondsToSpin();
    this.#client = new WeakRef(client);
    binding.progressOpen(queue, ring, capacity, (report) => {
      this.#onReport(report);
    });
    this.#park(client);
  }

  /** Something was posted. On the path of every operation: nearly always only the first line runs. */
  kick(): void {
    if (this.#spinning) return;
    // Nothing came until the application itself went on.
    this.#adapt(this.#quietSince, Infinity);
    this.#spin();
  }

  /** Whether the process has to stay alive. */
  setReferenced(referenced: boolean): void {
    // The way back is taken when the queue falls quiet: a ping-pong would toggle it for every message.
    if (referenced || !this.#spinning) this.#setReferenced(referenced);
  }

  #nanosecondsToSpin(): number {
    const usual =
      this.#mode === 'auto' && !this.#hasDescriptor ? TIMER_SPIN_MICROSECONDS : SPIN_MICROSECONDS[this.#mode];
    return 1000 * (this.#spinMicroseconds ?? usual);
  }

  /** Whether it polls without sleeping; `fellQuiet` follows. */
  get isSpinning(): boolean {
    return this.#spinning;
  }

  /** How long the next spin may last. */
  get spinMicroseconds(): number {
    return this.#spinBudget / 1000;
  }

  /**
   * Fits the spin to how far apart completions are.
   *
   * @param quietSince - When the last completion came before a spin that found none; undefined when there was no such spin.
   * @param now - When the next one came; Infinity when none did. Both in milliseconds.
   */
  #adapt(quietSince: number | undefined, now: number): void {
    this.#quietSince = undefined;
    if (quietSince === undefined || this.#mode !== 'auto' || !this.#hasDescriptor) return;
    const gap = (now - quietSince) * 1e6;
    if (gap <= this.#longestSpin) {
      // A longer spin would have found it.
      this.#spinBudget = Math.min(2 * Math.max(this.#spinBudget, gap), this.#longestSpin);
    } else {
      this.#spinBudget = Math.max(this.#spinBudget / 2, this.#longestSpin * LEAST_SHARE);
    }
  }

  #countFalseAlarm(): void {
    if (++this.#falseAlarms < FALSE_ALARM_LIMIT) return;
    this.#hasDescriptor = false;
    this.#longestSpin = this.#spinBudget = this.#nanosecondsToSpin();
  }

  #setReferenced(referenced: boolean): void {
    if (this.#referenced === referenced) return;
    this.#referenced = referenced;
    binding.progressSetReferenced(this.#queue, referenced);
  }

  #spin(): void {
    this.#armed = false;
    this.#spinning = true;
    binding.progressSpin(this.#queue, this.#spinBudget);
  }

  #onReport(report: ProgressReport): void {
    const client = this.#client.deref();
    if (client === undefined) return;
    if (report > 0) {
      const count = report & ((1 << PROGRESS_INTERVAL_SHIFT) - 1);
      const interval = report >> PROGRESS_INTERVAL_SHIFT;
      // What a timer found may have been there for as long as it slept.
      if (this.#quietSince !== undefined) this.#adapt(this.#quietSince, performance.now() - interval);
      this.#refusedWaits = 0;
      this.#falseAlarms = 0;
      client.dispatch(count);
      if (interval > 0 && !this.#spinning) this.#spin();
    } else if (report === PROGRESS_SPENT) {
      // Woken by the descriptor, and nothing came.
      if (this.#armed) this.#countFalseAlarm();
      this.#quietSince ??= performance.now() - this.#spinBudget / 1e6;
      this.#spinning = false;
      client.fellQuiet();
      this.#park(client);
    } else if (report === PROGRESS_RETRY) {
      client.retryBlocked();
    } else {
      this.#spinning = false;
      client.fail(report);
    }
  }

  /** Nothing happens: sleep until the provider or a timer says otherwise. */
  #park(client: ProgressClient): void {
    this.#setReferenced(client.referenced);
    if (this.#mode === 'spin' && client.outstanding > 0) {
      this.#spin();
      return;
    }
    this.#armed = this.#hasDescriptor;
    const result = this.#armed ? binding.progressArm(this.#queue, this.#spinBudget) : -ERRORS.FI_ENOSYS;
    if (result === -ERRORS.FI_EAGAIN && this.#refusedWaits++ < TRYWAIT_LIMIT) {
      this.#spin();
      return;
    }
    if (result !== 0) this.#armed = false;
    // No descriptor tells when the provider takes posts again.
    if (client.blocked) this.#poll(...BLOCKED_BACK_OFF);
    else if (client.outstanding > 0 && this.#armed) this.#poll(SAFETY_INTERVAL, SAFETY_INTERVAL);
    else if (client.outstanding > 0) this.#poll(...BACK_OFF);
    else if (!this.#armed) this.#poll(IDLE_INTERVAL, IDLE_INTERVAL);
  }

  #poll(interval: number, limit: number): void {
    binding.progressPoll(this.#queue, interval, limit);
  }
}

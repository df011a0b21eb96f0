/** When a completion queue spins, waits on its descriptor, or backs off: policy. native/progress.cc has the mechanism. */
import { binding, PROGRESS_RETRY, PROGRESS_SPENT, type ProgressReport } from './binding.js';
import { ERRORS } from './constants.js';

/**
 * How completions of the promise door are found.
 *
 * - `auto`: spins while traffic flows, then waits on the queue's file descriptor, or with a timer that backs off where the
 *   provider has none. It spins half a millisecond at most, and less the more often that was in vain.
 * - `spin`: spins as long as an operation is outstanding. Lowest latency, one core.
 * - `wait`: waits at once. Lowest CPU use, a wake-up of latency for each message.
 * - `manual`: does nothing; the application calls {@link CompletionQueue.read}.
 */
export type ProgressMode = 'auto' | 'spin' | 'wait' | 'manual';

export const PROGRESS_MODES: readonly ProgressMode[] = ['auto', 'spin', 'wait', 'manual'];

/** How long each mode spins after the last completion, in microseconds, unless told otherwise. */
export const SPIN_MICROSECONDS = { auto: 500, spin: 100_000, wait: 0 };
/** `auto` halves it each time that nothing came, down to a share of this, and doubles it again when something does. */
const LEAST_SHARE = 1 / 16;

/** Timer without a descriptor: milliseconds between polls while an operation is outstanding … */
const BACK_OFF = [1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 32];
/** … and while none is, when only the provider's own housekeeping needs a call. */
const IDLE_INTERVAL = 50;
/** With a descriptor: a poll in case the provider's signal got lost, while an operation is outstanding. */
const SAFETY_INTERVAL = 250;
/** How often in a row fi_trywait may say "not yet" before a timer takes over from spinning. */
const TRYWAIT_LIMIT = 8;

/**
 * How often in a row a descriptor may wake us for nothing before a timer takes over from it. That of libfabric 1.17's net
 * stays readable for ever once a message has come.
 */
const FALSE_ALARM_LIMIT = 8;
/** How far the back-off goes while posts are blocked. */
const BLOCKED_STEPS = 4;

const backOff = (step: number): number => BACK_OFF[Math.min(step, BACK_OFF.length - 1)]!;

/** What progress is made for. */
export interface ProgressClient {
  /** `count` completions of the promise door are in the ring. */
  dispatch(count: number): void;
  /** Settles what has completed. @returns how many operations that were. */
  drain(): number;
  /** Tries blocked posts again. */
  retryBlocked(): void;
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
  /** In nanoseconds. */
  readonly #longestSpin: number;
  #spinBudget: number;
  // Weak, since the native side holds on to this object for as long as the queue is open: an unreachable queue can be
  // collected, and is closed then.
  readonly #client: WeakRef<ProgressClient>;
  #spinning = false;
  #referenced = false;
  #timer: NodeJS.Timeout | undefined;
  #quietPolls = 0;
  #refusedWaits = 0;
  /** Whether the descriptor is being waited on. */
  #armed = false;
  #falseAlarms = 0;
  /** Whether nothing has come since the spin began. */
  #isFresh = true;
  #timers = 0;

  constructor(
    queue: number,
    ring: number,
    capacity: number,
    mode: Exclude<ProgressMode, 'manual'>,
    client: ProgressClient,
    spinMicroseconds: number,
  ) {
    this.#queue = queue;
    this.#mode = mode;
    this.#longestSpin = this.#spinBudget = spinMicroseconds * 1000;
    this.#client = new WeakRef(client);
    binding.progressOpen(queue, ring, capacity, (report) => {
      this.#onReport(report);
    });
    this.#park(client);
  }

  /** Something was posted. On the path of every operation: nearly always only the first line runs. */
  kick(): void {
    if (this.#spinning) return;
    this.#spin();
  }

  /** Whether the process has to stay alive. */
  setReferenced(referenced: boolean): void {
    // The way back is taken when the queue falls quiet: a ping-pong would toggle it for every message.
    if (referenced || !this.#spinning) this.#setReferenced(referenced);
  }

  /** How often a timer polled, and how long the next spin may last. */
  get stats(): { timers: number; spinMicroseconds: number } {
    return { timers: this.#timers, spinMicroseconds: this.#spinBudget / 1000 };
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #setReferenced(referenced: boolean): void {
    if (this.#referenced === referenced) return;
    this.#referenced = referenced;
    binding.progressSetReferenced(this.#queue, referenced);
  }

  #spin(): void {
    clearTimeout(this.#timer);
    this.#armed = false;
    this.#isFresh = true;
    this.#spinning = true;
    this.#quietPolls = 0;
    binding.progressSpin(this.#queue, this.#spinBudget);
  }

  #onReport(report: ProgressReport): void {
    const client = this.#client.deref();
    if (client === undefined) return;
    if (report > 0) {
      // The first answer to a post or a wake-up would have come without spinning for it.
      if (!this.#isFresh) this.#spinBudget = Math.min(this.#spinBudget * 2, this.#longestSpin);
      this.#isFresh = false;
      this.#refusedWaits = 0;
      this.#falseAlarms = 0;
      this.#quietPolls = 0;
      client.dispatch(report);
    } else if (report === PROGRESS_SPENT) {
      // Woken by the descriptor, and nothing came.
      if (this.#armed) this.#falseAlarms++;
      if (this.#mode === 'auto') this.#spinBudget = Math.max(this.#spinBudget / 2, this.#longestSpin * LEAST_SHARE);
      this.#spinning = false;
      this.#park(client);
    } else if (report === PROGRESS_RETRY) {
      client.retryBlocked();
    } else {
      this.#spinning = false;
      clearTimeout(this.#timer);
      client.fail(report);
    }
  }

  /** Nothing happens: sleep until the provider or a timer says otherwise. */
  #park(client: ProgressClient): void {
    clearTimeout(this.#timer);
    this.#isFresh = true;
    this.#setReferenced(client.referenced);
    if (this.#mode === 'spin' && client.outstanding > 0) {
      this.#spin();
      return;
    }
    this.#armed = this.#falseAlarms < FALSE_ALARM_LIMIT;
    const result = this.#armed ? binding.progressArm(this.#queue, this.#spinBudget) : -ERRORS.FI_ENOSYS;
    if (result === -ERRORS.FI_EAGAIN && this.#refusedWaits++ < TRYWAIT_LIMIT) {
      this.#spin();
      return;
    }
    if (result !== 0) this.#armed = false;
    // No descriptor tells when the provider takes posts again.
    if (client.blocked) this.#poll(backOff(Math.min(this.#quietPolls, BLOCKED_STEPS)));
    else if (client.outstanding > 0) this.#poll(this.#armed ? SAFETY_INTERVAL : backOff(this.#quietPolls));
    else if (!this.#armed) this.#poll(IDLE_INTERVAL);
  }

  #poll(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      const client = this.#client.deref();
      if (client === undefined) return;
      this.#timers++;
      const found = client.drain();
      client.retryBlocked();
      if (found > 0) {
        this.#spin();
      } else if (!this.#spinning) {
        this.#quietPolls++;
        this.#park(client);
      }
    }, milliseconds);
    // The queue's own handle keeps the process alive while something is outstanding.
    this.#timer.unref();
  }
}

/** What a completion queue has done, and what it cost: to see whether a progress mode fits an application. */

/** Counts since the queue was opened; see {@link CompletionQueue.stats}. */
export interface CompletionQueueStats {
  /** How often the provider was asked for completions, through either door: fi_cq_read(3). */
  readonly polls: number;
  /** Those of them that found nothing: the price of spinning. */
  readonly emptyPolls: number;
  /** Operations that completed. */
  readonly completions: number;
  /** Turns of the event loop that polled, and did not let it sleep. */
  readonly spins: number;
  /** How often the queue's file descriptor woke the event loop. */
  readonly wakeUps: number;
  /** How often a timer polled, for want of a descriptor that can be trusted. */
  readonly timers: number;
  /** How long the queue spins after a completion before it waits, at present. 0 in mode `manual`. */
  readonly spinMicroseconds: number;
}

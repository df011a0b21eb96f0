/** The time of the windows that count: from when every stream is through its warm-up to the last of the last stream. */
export class WindowClock {
  #startedAt: number | undefined;
  #endedAt = 0;
  readonly #warmup: number;
  readonly #total: number;

  constructor({ warmup, iterations }: { warmup: number; iterations: number }) {
    this.#warmup = warmup;
    this.#total = warmup + iterations;
  }

  /** Up to which window streams may go; `done`: how many are over in the stream that is behind. */
  allowed(done: number): number {
    if (this.#startedAt === undefined && done >= this.#warmup) this.#startedAt = performance.now();
    return this.#startedAt === undefined ? this.#warmup : this.#total;
  }

  /** Everything is over. */
  stop(): void {
    this.#endedAt = performance.now();
  }

  /** Between the two. */
  get milliseconds(): number {
    return this.#endedAt - (this.#startedAt ?? this.#endedAt);
  }
}

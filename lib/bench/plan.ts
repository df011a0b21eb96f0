import type { Parameters } from './parameters.js';

/** How long a phase may take by default, in milliseconds: slow providers get fewer iterations. */
const PHASE_MILLISECONDS = 1000;

/** Fewer round trips than this have no percentiles to speak of. */
const FEWEST_ROUND_TRIPS = 20;

/** Connections, registrations and V8's optimizer are through by then. */
const FEWEST_WARMUP = 10;
const MOST_WARMUP = 1000;

/** The round trips that show how slow this size is, where the user left their number to us. */
export const CALIBRATION = { warmup: 10, iterations: 21 } as const;

/** Round trips before those that count, and those. */
export interface LatencyPlan {
  warmup: number;
  iterations: number;
}

/** With a time, what is measured at once; then the clock is looked at. */
const CHUNK_MILLISECONDS = 200;
/** Samples of one phase, in memory. */
const MOST_AT_ONCE = 1_000_000;

/** How many of a thing that takes `milliseconds` are done at once, where `left` is how long the phase goes on. */
export function planChunk(milliseconds: number, left: number): number {
  const affordable = Math.min(CHUNK_MILLISECONDS, Math.max(left, 0)) / Math.max(milliseconds, 1e-6);
  return Math.min(MOST_AT_ONCE, Math.max(1, Math.floor(affordable)));
}

/** How many round trips a size gets; `roundTrip` in milliseconds, where it is known. */
export function planLatency(
  size: number,
  { iterations, warmup, time }: Pick<Parameters, 'iterations' | 'warmup' | 'time'>,
  roundTrip: number,
): LatencyPlan {
  const usual =
    time === undefined ? (size < 65_536 ? 10_000 : size < 1_048_576 ? 1000 : 100) : planChunk(roundTrip, time);
  const affordable = Math.max(FEWEST_ROUND_TRIPS, Math.floor(PHASE_MILLISECONDS / roundTrip));
  const planned = iterations ?? Math.min(usual, affordable);
  const usualWarmup = Math.min(MOST_WARMUP, Math.max(FEWEST_WARMUP, Math.ceil(planned / 10)));
  return { iterations: planned, warmup: warmup ?? usualWarmup };
}

/** How many windows a size gets; `oneWay` in milliseconds is what a message took alone. */
export function planBandwidth(
  { iterations, warmup }: LatencyPlan,
  window: number,
  oneWay: number,
): { windows: number; warmupWindows: number } {
  // As many messages as the latency phase has, in whole windows, and where there is time never
  // so few that the first and the last window decide.
  const usual = Math.max(4, Math.ceil(iterations / window));
  const affordable = Math.max(1, Math.floor(PHASE_MILLISECONDS / (window * oneWay)));
  const windows = Math.min(usual, affordable);
  return { windows, warmupWindows: Math.min(windows, Math.ceil(warmup / window)) };
}

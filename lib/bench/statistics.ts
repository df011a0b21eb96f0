/** One-way latency in microseconds, over every sample that was taken. */
export interface LatencyStatistics {
  min: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  /** The 99.9th percentile. */
  p999: number;
  max: number;
}

/**
 * The statistics of samples, given in milliseconds, as latency in microseconds: of round trips the half,
 * which is one way, or whatever `share` of each. No sample is dropped. Undefined without samples.
 */
export function latencyStatistics(milliseconds: Float64Array, share = 0.5): LatencyStatistics | undefined {
  if (milliseconds.length === 0) return undefined;
  const sorted = milliseconds.slice().sort();
  let sum = 0;
  for (const sample of sorted) sum += sample;
  const oneWay = (sample: number): number => sample * 1000 * share;
  return {
    min: oneWay(sorted[0]!),
    mean: oneWay(sum / sorted.length),
    p50: oneWay(nearestRank(sorted, 500)),
    p90: oneWay(nearestRank(sorted, 900)),
    p99: oneWay(nearestRank(sorted, 990)),
    p999: oneWay(nearestRank(sorted, 999)),
    max: oneWay(sorted.at(-1)!),
  };
}

/**
 * The nearest-rank percentile of ascending values: the smallest value that at least
 * `perMille` thousandths of all values do not exceed. Thousandths, because 99.9 / 100 × n
 * in floating point lands one rank too high for some n.
 */
export function nearestRank(ascending: Float64Array, perMille: number): number {
  if (ascending.length === 0) throw new RangeError('a percentile of no values');
  return ascending[Math.max(Math.ceil((perMille * ascending.length) / 1000), 1) - 1]!;
}

/** Bytes a second in MB/s, where a megabyte is 10⁶ bytes; 0 when no time has passed. */
export function megabytesPerSecond(bytes: number, milliseconds: number): number {
  return milliseconds > 0 ? bytes / (milliseconds * 1000) : 0;
}

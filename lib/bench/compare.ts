import type { LatencyHistogram } from './histogram.js';
import type { PingpongResult } from './result.js';

/** One figure of two measurements. */
export interface Comparison {
  size: number;
  figure: 'p50' | 'p99' | 'bandwidth' | 'bidirectional' | 'rate';
  unit: 'µs' | 'MB/s' | 'messages/s';
  before: number;
  after: number;
  /** after / before */
  ratio: number;
  /** `same` within the tolerance, or where chance alone may have made the difference. */
  verdict: 'same' | 'better' | 'worse';
}

const UNITS: Record<Comparison['figure'], Comparison['unit']> = {
  p50: 'µs',
  p99: 'µs',
  bandwidth: 'MB/s',
  bidirectional: 'MB/s',
  rate: 'messages/s',
};
const QUANTILES = { p50: 0.5, p99: 0.99 } as const;
/** 99 % of a normal distribution is within so many standard deviations. */
const SPREAD = 2.576;

/**
 * Compares two results size by size. A percentile differs when it moved by more than `tolerance`, and the 99 % confidence
 * intervals of the two, by rank over all samples, do not touch. A bandwidth has one sample, and the tolerance only.
 */
export function compareResults(
  before: Pick<PingpongResult, 'measurements'>,
  after: Pick<PingpongResult, 'measurements'>,
  tolerance = 0.1,
): Comparison[] {
  return before.measurements.flatMap(({ size, latency, ...tests }) => {
    const other = after.measurements.find((measurement) => measurement.size === size);
    const found: Comparison[] = [];
    for (const figure of ['p50', 'p99'] as const) {
      if (!latency || !other?.latency) continue;
      const [one, two] = [
        interval(latency.histogram, QUANTILES[figure]),
        interval(other.latency.histogram, QUANTILES[figure]),
      ];
      const isApart = one.high < two.low || two.high < one.low;
      found.push(judge(size, figure, latency[figure], other.latency[figure], isApart ? tolerance : Infinity));
    }
    for (const figure of ['bandwidth', 'bidirectional', 'rate'] as const) {
      const [one, two] = [tests[figure], other?.[figure]];
      const key = figure === 'rate' ? 'messagesPerSecond' : 'megabytesPerSecond';
      if (one && two) found.push(judge(size, figure, one[key], two[key], tolerance));
    }
    return found;
  });
}

function judge(
  size: number,
  figure: Comparison['figure'],
  before: number,
  after: number,
  tolerance: number,
): Comparison {
  const isTime = UNITS[figure] === 'µs';
  const ratio = before > 0 ? after / before : 1;
  const isLess = ratio < 1 / (1 + tolerance);
  const isMore = ratio > 1 + tolerance;
  const isWorse = isTime ? isMore : isLess;
  const verdict = isWorse ? 'worse' : isLess || isMore ? 'better' : 'same';
  return { size, figure, unit: UNITS[figure], before, after, ratio, verdict };
}

/** Between which values a quantile lies, by the binomial distribution of its rank. */
function interval({ buckets }: LatencyHistogram, quantile: number): { low: number; high: number } {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  const margin = SPREAD * Math.sqrt(total * quantile * (1 - quantile));
  return { low: valueAt(buckets, total * quantile - margin), high: valueAt(buckets, total * quantile + margin) };
}

/** The bucket of a rank; beyond the last sample there is no bound. */
function valueAt(buckets: LatencyHistogram['buckets'], rank: number): number {
  let left = Math.ceil(rank);
  for (const [from, count] of buckets) {
    left -= count;
    if (left <= 0) return from;
  }
  return Infinity;
}

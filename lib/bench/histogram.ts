/** A latency histogram as HDR histograms have it: linear within each power of two, so that errors are relative. */
export interface LatencyHistogram {
  /** As the statistics, but in nanoseconds. */
  unit: 'ns';
  /** Buckets in each power of two; a bucket is at most a 64th of its values wide. */
  subBuckets: number;
  /** Each bucket that has samples, ascending: its lower bound, and how many. The counts add up to all samples. */
  buckets: [from: number, count: number][];
}

const SUB_BUCKETS = 64;

/** Counts every sample: round trips in milliseconds, of which the half, or another `share`, is a latency in nanoseconds. */
export function latencyHistogram(milliseconds: Float64Array, share = 0.5): LatencyHistogram {
  const counts = new Map<number, number>();
  for (const sample of milliseconds) {
    const from = lowerBound(Math.round(sample * 1e6 * share));
    counts.set(from, (counts.get(from) ?? 0) + 1);
  }
  const buckets = [...counts].sort(([one], [other]) => one - other);
  return { unit: 'ns', subBuckets: SUB_BUCKETS, buckets };
}

/** Where the bucket of a value begins. Whole nanoseconds below {@link SUB_BUCKETS} have one each. */
function lowerBound(value: number): number {
  if (value < SUB_BUCKETS) return value;
  const width = 2 ** Math.floor(Math.log2(value)) / SUB_BUCKETS;
  return Math.floor(value / width) * width;
}

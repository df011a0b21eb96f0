/** Times of round trips, and what they say. No sample is dropped. */

/** A phase ends when it has as many. */
const MOST_SAMPLES = 1 << 20;

/** In milliseconds, as performance.now() says; filled, so that no page is touched first while it is timed. */
export const samples = new Float64Array(MOST_SAMPLES).fill(-1);

/**
 * What `count` samples say, in microseconds.
 *
 * @param {number} count
 * @param {number} elapsed milliseconds that they took together
 * @param {number} parts what each is divided by
 */
export function summarize(count, elapsed, parts = 1) {
  const ascending = samples.slice(0, count).sort();
  const microseconds = (/** @type {number} */ milliseconds) => Math.round((milliseconds * 1e7) / parts) / 1e4;
  /** The nearest-rank percentile, in thousandths. @param {number} thousandths */
  const perMille = (thousandths) => {
    const rank = Math.ceil((thousandths * count) / 1000);
    return microseconds(ascending[Math.max(rank, 1) - 1] ?? NaN);
  };
  return {
    iterations: count,
    mean: microseconds(elapsed / count),
    p50: perMille(500),
    p99: perMille(990),
    p999: perMille(999),
    quantiles: Array.from({ length: 101 }, (_, percent) => perMille(10 * percent)),
  };
}

/**
 * Round trips of messages of `size` bytes, as half round trips.
 *
 * @param {number} size
 * @param {number} count how many samples there are
 * @param {number} elapsed milliseconds that they took together
 */
export function roundTrips(size, count, elapsed) {
  const summary = summarize(count, elapsed, 2);
  return { size, ...summary, megabytesPerSecond: size / summary.mean };
}

import { describe, expect, it } from 'vitest';
import { latencyStatistics, megabytesPerSecond, nearestRank } from '../../lib/bench/statistics.js';

/** The definition itself: the smallest value that at least p % of all values do not exceed. */
function naivePercentile(values: number[], perMille: number): number {
  const fitting = values.filter(
    (value) => values.filter((other) => other <= value).length * 1000 >= perMille * values.length,
  );
  return Math.min(...fitting);
}

/** Reproducible values with repetitions, from a linear congruential generator. */
function makeValues(count: number): number[] {
  let state = count;
  return Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state % 997;
  });
}

describe('nearestRank', () => {
  it.each([1, 2, 3, 9, 10, 11, 99, 100, 101, 999, 1000, 1001])('agrees with the definition for %i values', (count) => {
    const values = makeValues(count);
    const ascending = Float64Array.from(values).sort();
    for (const perMille of [1, 500, 900, 990, 999, 1000]) {
      expect(nearestRank(ascending, perMille)).toBe(naivePercentile(values, perMille));
    }
  });

  it('refuses no values', () => {
    expect(() => nearestRank(new Float64Array(), 500)).toThrow(RangeError);
  });
});

describe('latencyStatistics', () => {
  it('halves round trips and counts in microseconds', () => {
    const statistics = latencyStatistics(Float64Array.of(0.004, 0.002, 0.008));
    expect(statistics).toEqual({
      min: 1,
      mean: expect.closeTo(7 / 3) as number,
      p50: 2,
      p90: 4,
      p99: 4,
      p999: 4,
      max: 4,
    });
  });

  it('drops no sample: the slowest of many is the maximum', () => {
    const samples = new Float64Array(10_000).fill(0.002);
    samples[1234] = 20;
    expect(latencyStatistics(samples)).toMatchObject({ p50: 1, p999: 1, max: 10_000 });
  });

  it('leaves the samples as they were', () => {
    const samples = Float64Array.of(3, 1, 2);
    latencyStatistics(samples);
    expect([...samples]).toEqual([3, 1, 2]);
  });

  it('has nothing to say of no samples', () => {
    expect(latencyStatistics(new Float64Array())).toBeUndefined();
  });
});

describe('megabytesPerSecond', () => {
  it('counts decimal megabytes', () => {
    expect(megabytesPerSecond(5_000_000, 1000)).toBe(5);
  });

  it('is finite when no time has passed', () => {
    expect(megabytesPerSecond(64, 0)).toBe(0);
  });
});

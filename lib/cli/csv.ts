import type { PingpongResult } from '../bench/index.js';

const HEAD = [
  'bytes,iterations,min_us,mean_us,p50_us,p90_us,p99_us,p99.9_us,max_us',
  'window,messages,milliseconds,MB_per_s,provider,protocol',
].join(',');

/** A line for each size; a field is empty where nothing was measured. */
export function formatCsv({ measurements, provider, protocol }: PingpongResult): string {
  const rows = measurements.map(({ size, latency, bandwidth }) => {
    const { iterations, min, mean, p50, p90, p99, p999, max } = latency ?? {};
    const { window, messages, milliseconds, megabytesPerSecond } = bandwidth ?? {};
    const figures = [
      iterations,
      min,
      mean,
      p50,
      p90,
      p99,
      p999,
      max,
      window,
      messages,
      milliseconds,
      megabytesPerSecond,
    ];
    return [size, ...figures, provider, protocol].join(',');
  });
  return `${[HEAD, ...rows].join('\n')}\n`;
}

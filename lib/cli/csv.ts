import type { PingpongResult } from '../bench/index.js';

const HEAD = [
  'bytes,iterations,min_us,mean_us,p50_us,p90_us,p99_us,p99.9_us,max_us',
  'test,window,streams,messages,milliseconds,MB_per_s,messages_per_s,provider,protocol,operation',
].join(',');

/** A line for each size and test; a field is empty where nothing was measured. */
export function formatCsv({ measurements, provider, protocol, parameters }: PingpongResult): string {
  const rows = measurements.flatMap(({ size, latency, ...tests }) => {
    const windowed = (['bandwidth', 'bidirectional', 'rate'] as const).filter((test) => tests[test]);
    // Latency and bandwidth are of one line.
    return (windowed.length > 0 ? windowed : [undefined]).map((test) => {
      const { iterations, min, mean, p50, p90, p99, p999, max } = latency ?? {};
      const measured = test && tests[test];
      const { window, streams, messages, milliseconds, megabytesPerSecond, messagesPerSecond } = measured ?? {};
      const times = [iterations, min, mean, p50, p90, p99, p999, max];
      const rates = [test, window, streams, messages, milliseconds, megabytesPerSecond, messagesPerSecond];
      return [size, ...times, ...rates, provider, protocol, parameters.operation].join(',');
    });
  });
  return `${[HEAD, ...rows].join('\n')}\n`;
}

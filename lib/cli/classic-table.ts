/** The table of C's fi_pingpong, byte for byte. */
import type { ClassicMeasurement, PingpongResult } from '../bench/index.js';

/** Its header and a line for each measurement; as in C, none without one. */
export function formatClassicTable(measurements: readonly ClassicMeasurement[]): string {
  const counted = measurements.filter(({ iterations }) => iterations > 0);
  return counted.length === 0 ? '' : HEADER + counted.map(formatClassicRow).join('');
}

/** The same of a measurement by this package's own protocol: its round trips, without the warm-up. */
export function formatAsClassic({ measurements }: PingpongResult): string {
  return formatClassicTable(
    measurements.flatMap(({ size, latency }) => {
      if (!latency) return [];
      const { iterations, mean } = latency;
      return { size, iterations, acknowledged: iterations, microseconds: Math.round(2 * iterations * mean) };
    }),
  );
}

/** The table of fabtests' pingpongs. */
export function formatFabtestsTable(measurements: readonly ClassicMeasurement[]): string {
  const counted = measurements.filter(({ iterations }) => iterations > 0);
  if (counted.length === 0) return '';
  const rows = counted.map(
    (row) => `${sizeText(row.size).padEnd(8)}${countText(row.iterations).padEnd(8)}${formatRates(row)}`,
  );
  return `bytes   iters   ${RATES}${rows.join('')}`;
}

const RATES =
  'total   ' +
  `${'time'.padStart(8)} ${'MB/sec'.padStart(10)}${'usec/xfer'.padStart(13)}${'Mxfers/sec'.padStart(13)}\n`;
const HEADER = `bytes   #sent   #ack     ${RATES}`;

function formatClassicRow(measurement: ClassicMeasurement): string {
  const { size, iterations, acknowledged } = measurement;
  const sign = iterations === acknowledged ? '=' : iterations < acknowledged ? '-' : '+';
  const difference = iterations === acknowledged ? acknowledged : Math.abs(acknowledged - iterations);
  return (
    sizeText(size).padEnd(8) +
    countText(iterations).padEnd(8) +
    sign +
    countText(difference).padEnd(8) +
    formatRates(measurement)
  );
}

function formatRates({ size, iterations, microseconds }: ClassicMeasurement): string {
  const bytes = 2 * iterations * size;
  // A float in C: elapsed / sent / 2, rounded at each step.
  const perTransfer = Math.fround(Math.fround(Math.fround(microseconds) / Math.fround(iterations)) / 2);
  return (
    sizeText(bytes).padEnd(8) +
    `${(microseconds / 1e6).toFixed(2).padStart(8)}s` +
    figure(bytes / microseconds).padStart(10) +
    figure(perTransfer).padStart(11) +
    `${figure(1 / perTransfer).padStart(11)}\n`
  );
}

/** Binary units, and one decimal below ten, cut off. */
function sizeText(size: number): string {
  const [base, letter] =
    size >= 2 ** 30 ? [2 ** 30, 'g'] : size >= 2 ** 20 ? [2 ** 20, 'm'] : size >= 1024 ? [1024, 'k'] : [1, ''];
  const whole = Math.floor(size / base);
  const fraction = whole < 10 ? Math.floor(((size % base) * 10) / base) : 0;
  return `${whole}${fraction > 0 ? `.${fraction}` : ''}${letter}`;
}

/** Decimal units, cut off. */
function countText(count: number): string {
  if (count >= 1e9) return `${Math.floor(count / 1e9)}b`;
  if (count >= 1e6) return `${Math.floor(count / 1e6)}m`;
  if (count >= 1e3) return `${Math.floor(count / 1e3)}k`;
  return String(count);
}

/** As printf's %.2f, which has words for what is no number. */
function figure(value: number): string {
  if (Number.isNaN(value)) return '-nan';
  return Number.isFinite(value) ? value.toFixed(2) : 'inf';
}

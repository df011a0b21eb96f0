import Table from 'cli-table3';
import type { BandwidthResult, EndDescription, Measurement, PingpongResult } from '../bench/index.js';
import { bandwidthIn, formatBytes, type Units } from '../report/units.js';

const WIDTH = 80;

/** The report for people: what was used and why, what is unexpected, then the figures. */
export function formatReport(result: PingpongResult, units: Units = 'MB'): string {
  const { provider, protocol, endpointType, parameters, reason } = result;
  const { door, poll, operation, streams } = parameters;
  const lines = [
    [
      `${provider} (${protocol}, ${endpointType})`,
      operation,
      `${door} door${door === 'await' ? ` (${poll})` : ''}`,
      ...(streams > 1 ? [`${streams} streams`] : []),
      ...(result.processor === undefined ? [] : [`processor ${result.processor}`]),
    ].join(', '),
    ...formatEnd('client', result.client),
    ...formatEnd('server', result.server),
    ...wrap(`  why       `, reason),
    ...wrap(`  not used  `, summarize(result.notUsed)),
    ...formatCounters(result.counters),
    '',
    ...result.warnings.flatMap(({ message }) => wrap('! ', message)),
    ...(result.warnings.length > 0 ? [''] : []),
    formatTables(result.measurements, units),
    ...(result.expectation ? ['', ...wrap('  ', result.expectation.message)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** What the device has counted: `lo tx_bytes +1.07 GB`. */
function formatCounters(counters: PingpongResult['counters']): string[] {
  const told = counters.filter(({ counter }) => counter.endsWith('_bytes'));
  const parts = told.map(({ device, counter, delta }) => `${device} ${counter} +${formatBytes(delta)}`);
  return parts.length > 0 ? wrap('  counted   ', parts.join(', ')) : [];
}

function formatEnd(name: string, end: EndDescription): string[] {
  const { host, libfabric, provider, domain, dataAddress, controlAddress } = end;
  return [
    ...wrap(`  ${name}    `, `${host}, libfabric ${libfabric}, ${provider}, domain ${domain}`),
    ...wrap('            ', `data ${dataAddress}, control ${controlAddress}`),
  ];
}

/** Providers with one reason in common on one line; the details are in the JSON. */
function summarize(notUsed: PingpongResult['notUsed']): string {
  const byReason = new Map<string, Set<string>>();
  for (const { provider, reason } of notUsed) {
    byReason.set(reason, (byReason.get(reason) ?? new Set()).add(provider));
  }
  const groups = [...byReason].map(([reason, names]) => `${[...names].join(', ')} (${reason})`);
  return groups.join('; ') || 'nothing else is there';
}

/** A table for latency with the bandwidth beside it, and one for each other way of measuring that. */
function formatTables(measurements: readonly Measurement[], units: Units): string {
  const hasLatency = measurements.some(({ latency }) => latency);
  const main = hasLatency || measurements.length === 0 ? [formatTable(measurements, units)] : [];
  const others = (['bandwidth', 'bidirectional', 'rate'] as const)
    .filter((key) => !(key === 'bandwidth' && hasLatency))
    .flatMap((key) => {
      const rows = measurements.flatMap(({ size, [key]: measured }) =>
        measured ? [formatWindows(size, measured, units)] : [],
      );
      return rows.length > 0
        ? [formatColumns(['bytes', 'window', 'messages', 'ms', `${units}/s`, 'messages/s'], rows)]
        : [];
    });
  return [...main, ...others].join('\n\n');
}

function formatTable(measurements: readonly Measurement[], units: Units): string {
  return formatColumns(
    ['bytes', 'iters', 'min', 'p50', 'p90', 'p99', 'p99.9', 'max µs', `${units}/s`],
    measurements.map((measurement) => formatRow(measurement, units)),
  );
}

function formatWindows(
  size: number,
  { window, messages, milliseconds, ...rates }: BandwidthResult,
  units: Units,
): string[] {
  return [
    String(size),
    String(window),
    String(messages),
    formatFigure(milliseconds),
    formatFigure(bandwidthIn(units, rates.megabytesPerSecond)),
    rates.messagesPerSecond.toFixed(0),
  ];
}

/** Columns of figures under their names. */
export function formatColumns(head: string[], rows: readonly string[][]): string {
  const none = '';
  const table = new Table({
    head,
    colAligns: head.map(() => 'right' as const),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 1 },
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: ' ',
    },
  });
  table.push(...rows);
  return table.toString();
}

function formatRow({ size, latency, bandwidth }: Measurement, units: Units): string[] {
  const { min, p50, p90, p99, p999, max } = latency ?? {};
  return [
    String(size),
    // Cut short: fewer round trips than were asked for.
    latency ? `${latency.iterations}${latency.complete ? '' : '!'}` : '-',
    ...[min, p50, p90, p99, p999, max].map(formatMicroseconds),
    bandwidth ? formatFigure(bandwidthIn(units, bandwidth.megabytesPerSecond)) : '-',
  ];
}

function formatMicroseconds(value: number | undefined): string {
  return value === undefined ? '-' : formatFigure(value);
}

/** Four digits or so, whatever the magnitude. */
export function formatFigure(value: number): string {
  return value.toFixed(value < 100 ? 2 : value < 1000 ? 1 : 0);
}

/**
 * Breaks text at spaces so that no line is wider than the terminal; `head` starts the first one. A command in backquotes
 * stays whole where a line can hold it, so that it can be copied.
 */
export function wrap(head: string, text: string): string[] {
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  for (const word of splitWords(text, WIDTH - head.length)) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' '.repeat(head.length);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

const splitWords = (text: string, most: number): string[] =>
  text.split(/\s+(?=(?:[^`]*`[^`]*`)*[^`]*$)/).flatMap((word) => (word.length > most ? word.split(/\s+/) : [word]));

/** A result as one page that needs nothing else: no script, no font, no network. */
import type { EndDescription, LatencyHistogram, PingpongResult } from '../bench/index.js';
import { escape, renderPlot, type Line, type Plot } from './plot.js';
import { STYLE } from './style.js';
import { bandwidthIn, formatBytes, type Units } from './units.js';

const PERCENTILES = [
  ['p99.9', 'p999'],
  ['p99', 'p99'],
  ['p90', 'p90'],
  ['p50', 'p50'],
] as const;
/** More lines than these are a thicket. */
const MOST_DISTRIBUTIONS = 5;

/** The report of `--html`: figures, distributions, selection and warnings, and what each end ran. */
export function renderReport(result: PingpongResult, date: string, units: Units = 'MB'): string {
  const { provider, protocol, endpointType, client, server, warnings, reason, notUsed, parameters } = result;
  const title = `${provider} between ${client.host} and ${server.host}`;
  const plots = [latencyPlot(result), bandwidthPlot(result, units), ratePlot(result), distributionPlot(result)].filter(
    ({ lines }) => lines.length > 0,
  );
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escape(`fabric-pingpong: ${title}`)}</title><style>${STYLE}</style></head>`,
    '<body>',
    '<a class="skip" href="#figures">Skip to the figures</a>',
    `<header><h1>${escape(title)}</h1>`,
    `<p class="meta">${escape(`${protocol}, ${endpointType}, ${parameters.operation}, ${parameters.door} door; ${date}`)}</p></header>`,
    '<main>',
    ...(warnings.length === 0
      ? []
      : [
          '<section aria-labelledby="warnings"><h2 id="warnings">Warnings</h2><ul class="warnings">',
          ...warnings.map(({ message }) => `<li>${escape(message)}</li>`),
          '</ul></section>',
        ]),
    `<div class="plots">${plots.map((plot) => `<figure>${renderPlot(plot)}</figure>`).join('\n')}</div>`,
    `<section aria-labelledby="figures"><h2 id="figures" tabindex="-1">Figures</h2>${renderFigures(result, units)}</section>`,
    ...(result.expectation
      ? [`<p class="${result.expectation.verdict}">${escape(result.expectation.message)}</p>`]
      : []),
    '<section aria-labelledby="path"><h2 id="path">The way of the data</h2>',
    `<p>Chosen: ${escape(reason)}.</p>`,
    renderEnds(client, server),
    ...(result.counters.length === 0
      ? []
      : [
          `<p>Counted by the kernel meanwhile: ${escape(
            result.counters
              .map(({ device, counter, delta }) => {
                const grown = counter.endsWith('_bytes') ? formatBytes(delta) : String(delta);
                return `${device} ${counter} +${grown}`;
              })
              .join(', '),
          )}.</p>`,
        ]),
    '<details><summary>Providers that were not used</summary>',
    renderTable(
      'not used',
      ['provider', 'why'],
      notUsed.map((other) => [other.provider, other.reason]),
      2,
    ),
    '</details></section>',
    '</main>',
    '</body></html>',
    '',
  ].join('\n');
}

/** Whether a latency is that of an operation, in which the other end has no part. */
const isOperation = ({ operation }: PingpongResult['parameters']): boolean =>
  operation === 'write' || operation === 'read';

function latencyPlot({ measurements, parameters }: PingpongResult): Plot {
  const lines = PERCENTILES.map(([name, key]): Line => ({
    name,
    points: measurements.flatMap(({ size, latency }) =>
      latency ? [{ x: size, y: latency[key], text: `${name} of ${formatSize(size)}: ${figure(latency[key])} µs` }] : [],
    ),
  }));
  return {
    title: isOperation(parameters) ? `Latency of a ${parameters.operation}, until it is complete` : 'One-way latency',
    xLabel: 'bytes of a message',
    yLabel: 'µs',
    lines: lines.filter(({ points }) => points.length > 0),
    formatX: formatSize,
    isLogarithmic: true,
  };
}

const DIRECTIONS = { bandwidth: 'one way', bidirectional: 'both ways' } as const;

function bandwidthPlot({ measurements }: PingpongResult, units: Units): Plot {
  const lines = (['bandwidth', 'bidirectional'] as const).map((key): Line => ({
    name: DIRECTIONS[key],
    points: measurements.flatMap(({ size, [key]: measured }) => {
      if (!measured) return [];
      const y = bandwidthIn(units, measured.megabytesPerSecond);
      return [{ x: size, y, text: `${formatSize(size)}, ${DIRECTIONS[key]}: ${figure(y)} ${units}/s` }];
    }),
  }));
  return {
    title: 'Bandwidth',
    xLabel: 'bytes of a message',
    yLabel:
      units === 'Gb' ? 'Gb/s (10⁹ bits a second)' : `${units}/s (${units === 'MB' ? '10⁶' : '2²⁰'} bytes a second)`,
    lines: lines.filter(({ points }) => points.length > 0),
    formatX: formatSize,
    isLogarithmic: true,
  };
}

function ratePlot({ measurements }: PingpongResult): Plot {
  const points = measurements.flatMap(({ size, rate }) =>
    rate
      ? [
          {
            x: size,
            y: rate.messagesPerSecond,
            text: `${formatSize(size)}: ${figure(rate.messagesPerSecond)} messages a second`,
          },
        ]
      : [],
  );
  return {
    title: 'Message rate, client to server',
    xLabel: 'bytes of a message',
    yLabel: 'messages a second',
    lines: points.length > 0 ? [{ name: 'rate', points }] : [],
    formatX: formatSize,
    isLogarithmic: true,
  };
}

function distributionPlot({ measurements, parameters }: PingpongResult): Plot {
  const measured = measurements.filter(({ latency }) => latency);
  const step = Math.max(1, Math.ceil(measured.length / MOST_DISTRIBUTIONS));
  const lines = measured
    .filter((_, index) => index % step === 0)
    .map(({ size, latency }): Line => ({ name: formatSize(size), points: cumulate(latency!.histogram, size) }));
  return {
    title: 'Distribution of latency: the part of all samples that is not slower',
    xLabel: isOperation(parameters) ? 'µs' : 'µs, one-way',
    yLabel: 'part of the samples',
    lines,
    formatX: String,
    isLogarithmic: false,
  };
}

function cumulate({ buckets }: LatencyHistogram, size: number): Line['points'] {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  return buckets.map(([from, count]) => {
    seen += count;
    const part = seen / total;
    const micro = Math.max(from, 1) / 1000;
    return { x: micro, y: part, text: `${formatSize(size)}: ${(part * 100).toFixed(1)} % within ${figure(micro)} µs` };
  });
}

function renderFigures({ measurements }: PingpongResult, units: Units): string {
  const timed = measurements.flatMap(({ size, latency }) => (latency ? [[size, latency] as const] : []));
  const latencies = timed.map(([size, latency]) => [
    String(size),
    `${latency.iterations}${latency.complete ? '' : ' (cut short)'}`,
    ...(['min', 'mean', 'p50', 'p90', 'p99', 'p999', 'max'] as const).map((key) => figure(latency[key])),
  ]);
  const rates = measurements.flatMap(({ size, ...tests }) =>
    (['bandwidth', 'bidirectional', 'rate'] as const).flatMap((test) => {
      const measured = tests[test];
      if (!measured) return [];
      const { window, streams, messages, messagesPerSecond, megabytesPerSecond } = measured;
      const speeds = [bandwidthIn(units, megabytesPerSecond), messagesPerSecond].map(figure);
      return [[test, String(size), String(window), String(streams), String(messages), ...speeds]];
    }),
  );
  const head = ['bytes', 'samples', 'min µs', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'max µs'];
  const rateHead = ['test', 'bytes', 'window', 'streams', 'messages', `${units}/s`, 'messages/s'];
  return [
    ...(latencies.length > 0 ? [renderTable('latency of each size', head, latencies, 0)] : []),
    ...(rates.length > 0 ? [renderTable('bandwidth of each size', rateHead, rates, 1)] : []),
  ].join('\n');
}

function renderEnds(client: EndDescription, server: EndDescription): string {
  const rows = Object.entries({ client, server }).map(([name, end]) => [
    name,
    end.host,
    end.libfabric,
    end.provider,
    end.domain,
    end.dataAddress,
    end.controlAddress,
  ]);
  const head = ['end', 'host', 'libfabric', 'provider', 'domain', 'data', 'control'];
  return renderTable('what each end ran', head, rows, head.length);
}

/** `texts`: how many of the first columns are text; the others are figures. */
function renderTable(caption: string, head: readonly string[], rows: readonly string[][], texts: number): string {
  const kind = (column: number): string => (column < texts ? '' : ' class="number"');
  return (
    `<div class="scroll" tabindex="0" role="region" aria-label="${escape(caption)}"><table><caption>${escape(caption)}</caption><thead><tr>` +
    head.map((cell, column) => `<th scope="col"${kind(column)}>${escape(cell)}</th>`).join('') +
    '</tr></thead><tbody>' +
    rows
      .map(
        ([first = '', ...rest]) =>
          `<tr><th scope="row"${kind(0)}>${escape(first)}</th>` +
          `${rest.map((cell, column) => `<td${kind(column + 1)}>${escape(cell)}</td>`).join('')}</tr>`,
      )
      .join('\n') +
    '</tbody></table></div>'
  );
}

function formatSize(size: number): string {
  if (size >= 1024 ** 2 && size % 1024 ** 2 === 0) return `${size / 1024 ** 2}M`;
  return size >= 1024 && size % 1024 === 0 ? `${size / 1024}k` : String(size);
}

const figure = (value: number): string => value.toFixed(value < 100 ? 2 : value < 1000 ? 1 : 0);

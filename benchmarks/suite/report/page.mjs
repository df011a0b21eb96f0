/** A run's results as one page that needs nothing else. */
import { formatNumber, formatSize } from '../text.mjs';
import { verdictText, wantedText } from '../table.mjs';
import { worstVerdict } from '../verdicts.mjs';
import { renderBars } from './bars.mjs';
import { escape } from './escape.mjs';
import { renderPlot } from './plot.mjs';
import { bySize, distribution, groups } from './series.mjs';
import { pageStyle, plotStyle } from './style.mjs';

/** @typedef {import('../types.js').CaseResult} CaseResult */
/** @typedef {import('../types.js').Report} Report */
/** @typedef {import('./plot.mjs').Plot} Plot */

/** Whose distribution is shown. */
const SMALL = 64;

/** @param {readonly string[]} cells @param {readonly number[]} numbers which columns are right-aligned */
function row(cells, numbers, tag = 'td') {
  const marked = cells.map(
    (cell, index) => `<${tag}${numbers.includes(index) ? ' class="number"' : ''}>${cell}</${tag}>`,
  );
  return `<tr>${marked.join('')}</tr>`;
}

/** @param {readonly CaseResult[]} cases */
function renderTargets(cases) {
  const numbers = [3, 5, 6, 7, 8];
  const rows = cases.flatMap(({ name, targets }) =>
    targets.map((target) => {
      const worst = worstVerdict(target);
      const size =
        worst?.size !== undefined && target.verdicts.length > 1 ? `, worst at ${formatSize(worst.size)}` : '';
      const number = (/** @type {number | undefined} */ value) =>
        value === undefined ? '' : `${formatNumber(value)} ${target.unit ?? ''}`;
      const verdict = verdictText(target);
      const style = verdict === 'met' || verdict === '' ? verdict : 'missed';
      return row(
        [
          escape(name),
          escape(`${target.what}${size}`),
          escape(target.subject),
          number(worst?.subject),
          escape(target.reference ?? ''),
          number(worst?.reference),
          worst?.reference === undefined ? '' : formatNumber(worst.value),
          worst === undefined ? '' : `${formatNumber(worst.low)} … ${formatNumber(worst.high)}`,
          wantedText(target),
          `<span class="${style}">${verdict.toLowerCase()}</span>`,
        ],
        numbers,
      );
    }),
  );
  const head = ['case', 'what', 'ours', '', 'reference', '', 'ratio', 'quartiles', 'wanted', ''];
  return `<div class="scroll"><table>${row(head, numbers, 'th')}${rows.join('\n')}</table></div>`;
}

/** The numbers of a plot, for who cannot see it or wants them. @param {Plot} plot */
function renderNumbers({ lines, formatX, formatY }) {
  const xs = [...new Set(lines.flatMap(({ points }) => points.filter(({ text }) => text !== '').map(({ x }) => x)))];
  const numbers = xs.map((_, index) => index + 1);
  const rows = lines.map(({ name, points }) => {
    const cells = xs.map((x) => {
      const point = points.find((candidate) => candidate.x === x);
      return point === undefined ? '' : formatY(point.y);
    });
    return row([escape(name), ...cells], numbers);
  });
  const table = `<table>${row(['', ...xs.map(formatX)], numbers, 'th')}${rows.join('')}</table>`;
  return `<details><summary>Numbers</summary><div class="scroll">${table}</div></details>`;
}

/** @param {string} title @param {string} text @param {readonly (Plot | undefined)[]} plots */
function renderSection(title, text, plots) {
  const figures = plots
    .filter((plot) => plot !== undefined)
    .map((plot) => `<figure>${renderPlot(plot)}${renderNumbers(plot)}</figure>`);
  if (figures.length === 0) return '';
  return `<h2>${title}</h2><p>${text}</p><div class="plots">${figures.join('\n')}</div>`;
}

/** @param {CaseResult} rates */
function renderRates(rates) {
  const bars = rates.entries.flatMap(({ name, phases }) => {
    const value = phases[0]?.figures['messagesPerSecond']?.median;
    return value === undefined
      ? []
      : [{ name, value, text: formatNumber(value), isOurs: /^(batch|await),/.test(name) }];
  });
  if (bars.length === 0) return '';
  const title = 'Messages of 8 B a second, 64 in flight';
  const sorted = bars.toSorted((a, b) => b.value - a.value);
  return `<h2>Message rate</h2><p>Ours are the bars in full colour.</p><div class="plots"><figure>${renderBars(title, sorted)}</figure></div>`;
}

/** loadBefore as load before. @param {string} name */
const asWords = (name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** @param {Report} report */
function renderSource({ date, machine, versions, rounds, isQuick }) {
  const list = (/** @type {Readonly<Record<string, string | number>>} */ object) =>
    Object.entries(object)
      .map(([name, value]) => `${escape(asWords(name))} ${escape(String(value))}`)
      .join(' · ');
  const quick = isQuick ? ' <strong>Measured with --quick: to see that it works, not to judge.</strong>' : '';
  return (
    `<p class="meta">${escape(date.slice(0, 10))} · ${rounds} round${rounds === 1 ? '' : 's'}<br>` +
    `${list(machine)}<br>${list(versions)}</p><p>Ratios are of what ran side by side, in the same run, and their medians over ` +
    `the rounds. Absolute figures are those of this machine.${quick}</p>`
  );
}

/** @param {Report} report */
export function renderPage(report) {
  const find = (/** @type {string} */ wanted) => report.cases.find(({ name }) => name === wanted);
  const latency = find('peers/latency');
  const bandwidth = find('peers/bandwidth');
  const rates = find('peers/rate');
  const latencyPlots = (/** @type {string} */ figure, /** @type {string} */ title) =>
    latency === undefined
      ? []
      : groups.map((group) => bySize(latency, group, { figure, title, unit: 'half round trip, µs' }));
  const sections = [
    renderSection('Latency', 'Half a round trip of one message. Lower is better.', [
      ...latencyPlots('p50', 'Median latency'),
      ...latencyPlots('p99', '99th percentile of latency'),
    ]),
    renderSection(
      'Distribution',
      'From the fastest round trip to the 99th percentile. Lower is better, and so is flatter.',
      latency === undefined ? [] : groups.map((group) => distribution(latency, group, SMALL)),
    ),
    renderSection(
      'Bandwidth',
      'Windows of 64 messages, each acknowledged. Higher is better.',
      bandwidth === undefined
        ? []
        : groups.map((group) =>
            bySize(bandwidth, group, { figure: 'megabytesPerSecond', title: 'Bandwidth', unit: 'MB/s' }),
          ),
    ),
    rates === undefined ? '' : renderRates(rates),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>node-libfabric: benchmarks</title>
<style>${plotStyle}${pageStyle}</style>
</head>
<body>
<h1>node-libfabric beside C, and beside what else there is</h1>
${renderSource(report)}
<h2>Targets</h2>
${renderTargets(report.cases)}
${sections.filter((section) => section !== '').join('\n')}
</body>
</html>
`;
}

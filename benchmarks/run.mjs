/** npm run bench: see docs/benchmarks.md, or npm run bench -- --help. */
import { cases } from './cases.mjs';
import { compareReports, describeComparison } from './suite/compare.mjs';
import { chooseCores } from './suite/cores.mjs';
import { describeMachine, describeVersions } from './suite/machine.mjs';
import { readOptions, USAGE } from './suite/options.mjs';
import { killAll } from './suite/processes.mjs';
import { Progress } from './suite/progress.mjs';
import { formatReport, readReport, saveReport, writeFile } from './suite/results.mjs';
import { removeDevices } from './suite/providers.mjs';
import { renderImage } from './suite/report/image.mjs';
import { renderPage } from './suite/report/page.mjs';
import { runCases } from './suite/schedule.mjs';
import { figureTable, targetTable } from './suite/table.mjs';
import { UsageError } from './suite/usage-error.mjs';

/** @typedef {import('./suite/types.js').Case} Case */
/** @typedef {import('./suite/types.js').Report} Report */
/** @typedef {import('./suite/options.mjs').Options} Options */

/** By how much --quick divides the time of a phase. */
const QUICK = 10;
/** When --quick begins no case any more: 90 s are what it may take. */
const QUICK_SECONDS = 80;
const PAGE = 'build/bench.html';
const IMAGE = 'build/bench.svg';

/** @param {Case} subject @returns {Case} */
function quickened(subject) {
  const { seconds } = subject.parameters;
  const shorter = seconds === undefined ? {} : { seconds: seconds / QUICK };
  return { ...subject, parameters: { ...subject.parameters, ...shorter, ...subject.quick } };
}

/**
 * @param {readonly Case[]} chosen
 * @param {Options} options
 * @returns {Promise<{ report: Report, isInterrupted: boolean }>}
 */
async function measure(chosen, { rounds, quick }) {
  const progress = new Progress();
  const cores = chooseCores();
  if (cores[0] === cores[1]) progress.note('both ends share the one processor that may be used: figures say little');
  const machine = describeMachine();
  const interruption = new AbortController();
  process.once('SIGINT', () => {
    interruption.abort();
    killAll();
  });
  const date = new Date().toISOString();
  const subjects = quick ? chosen.map(quickened) : chosen;
  const seconds = quick ? QUICK_SECONDS : Infinity;
  const results = await runCases(subjects, { rounds, cores, seconds, progress, signal: interruption.signal });
  removeDevices();
  progress.end();
  const versions = describeVersions();
  const report = { format: /** @type {const} */ (1), date, machine, versions, rounds, isQuick: quick, cases: results };
  return { report, isInterrupted: interruption.signal.aborted };
}

/** @param {Report} report @param {Options} options */
function print(report, { json, details }) {
  if (json === true) {
    process.stdout.write(formatReport(report));
    return;
  }
  console.log(targetTable(report.cases));
  if (details) console.log(figureTable(report.cases));
}

async function main() {
  const options = readOptions();
  const chosen = cases.filter(({ name }) => options.only.test(name));
  if (options.list) {
    for (const { name, what } of chosen) console.log(`${name.padEnd(26)} ${what}`);
    return;
  }
  if (chosen.length === 0) throw new UsageError('--only: no case has such a name; --list says what there is');
  const before = options.compare === undefined ? undefined : readReport(options.compare);
  const { report, isInterrupted } =
    options.from === undefined
      ? await measure(chosen, options)
      : { report: readReport(options.from), isInterrupted: false };
  print(report, options);
  if (typeof options.json === 'string') writeFile(options.json, formatReport(report));
  if (options.html !== undefined) writeFile(options.html === true ? PAGE : options.html, renderPage(report));
  if (options.save) saveReport(report);
  if (options.image !== undefined) {
    const image = renderImage(report);
    if (image === undefined) console.error('bench: no image: peers/latency was not measured');
    else writeFile(options.image === true ? IMAGE : options.image, image);
  }
  if (before !== undefined) {
    const comparisons = compareReports(before, report);
    console.error(describeComparison(comparisons, before, report));
    if (comparisons.some(({ isRegression }) => isRegression)) process.exitCode = 1;
  }
  // What is slow is no failure here; what could not be measured is.
  if (report.cases.some(({ entries }) => entries.some(({ error }) => error !== undefined))) process.exitCode = 1;
  if (isInterrupted) process.exitCode = 130;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = USAGE;
}

/** Whether results have become worse: a gate against regressions. */
import { isLessBetter, isWanted } from './verdicts.mjs';
import { formatNumber, formatSize } from './text.mjs';

/** @typedef {import('./types.js').Report} Report */
/** @typedef {import('./types.js').TargetResult} TargetResult */
/** @typedef {import('./types.js').Verdict} Verdict */

/** Ratios that differ by less are the same. */
const TOLERANCE = 0.05;

/**
 * @typedef {object} Comparison
 * @property {string} what
 * @property {number} before
 * @property {number} now
 * @property {boolean} isRegression
 */

/** Every verdict by what it is about. @param {Report} report */
function verdictsOf(report) {
  /** @type {Map<string, { target: TargetResult, verdict: Verdict }>} */
  const all = new Map();
  for (const { name, targets } of report.cases) {
    for (const target of targets) {
      for (const verdict of target.verdicts) {
        const { what, subject, reference } = target;
        const who = reference === undefined ? subject : `${subject} / ${reference}`;
        const size = verdict.size === undefined ? '' : `, ${formatSize(verdict.size)}`;
        all.set(`${name}: ${what}, ${who}${size}`, { target, verdict });
      }
    }
  }
  return all;
}

/**
 * A ratio has become worse when the quartiles of its rounds have: when they do not overlap those of before, and the medians
 * differ by more than the tolerance. A figure without a reference hangs on the machine: it is worse when it no longer meets
 * what is wanted.
 *
 * @param {TargetResult} target
 * @param {Verdict} before
 * @param {Verdict} now
 */
function isWorse(target, before, now) {
  if (target.reference === undefined) return before.isMet === true && now.isMet === false;
  return isLessBetter(target)
    ? now.low > before.high && now.value > before.value * (1 + TOLERANCE)
    : now.high < before.low && now.value < before.value / (1 + TOLERANCE);
}

/**
 * @param {Report} before
 * @param {Report} now
 * @returns {Comparison[]} of what is in both, and is wanted
 */
export function compareReports(before, now) {
  const known = verdictsOf(before);
  const comparisons = [];
  for (const [what, { target, verdict }] of verdictsOf(now)) {
    const other = known.get(what);
    if (other === undefined || !isWanted(target)) continue;
    const isRegression = isWorse(target, other.verdict, verdict);
    comparisons.push({ what, before: other.verdict.value, now: verdict.value, isRegression });
  }
  return comparisons;
}

/** @param {readonly Comparison[]} comparisons @param {Report} before @param {Report} now */
export function describeComparison(comparisons, before, now) {
  const worse = comparisons.filter(({ isRegression }) => isRegression);
  const lines = worse.map(
    (row) => `worse: ${row.what}: ${formatNumber(row.before)} before, ${formatNumber(row.now)} now`,
  );
  if (before.machine['cpu'] !== now.machine['cpu']) lines.push('the machines differ: even ratios may, for that alone');
  lines.push(`${comparisons.length} compared with ${before.date.slice(0, 10)}, ${worse.length} worse beyond noise`);
  return lines.join('\n');
}

/** Whether targets are met. */
import { median, quantile } from './statistics.mjs';

/** @typedef {import('./types.js').EntryResult} EntryResult */
/** @typedef {import('./types.js').Target} Target */
/** @typedef {import('./types.js').TargetResult} TargetResult */
/** @typedef {import('./types.js').Verdict} Verdict */

/**
 * Ratios are taken round by round, of what ran side by side; the median of them counts.
 *
 * @param {Target} target
 * @param {readonly EntryResult[]} entries
 * @returns {TargetResult}
 */
export function judge(target, entries) {
  const subject = entries.find(({ name }) => name === target.subject);
  const reference = entries.find(({ name }) => name === target.reference);
  const isComplete = subject?.error === undefined && reference?.error === undefined;
  /** @type {Verdict[]} */
  const verdicts = [];
  for (const phase of isComplete ? (subject?.phases ?? []) : []) {
    const { size } = phase;
    if (target.sizes !== undefined && !(size !== undefined && target.sizes.includes(size))) continue;
    const figure = phase.figures[target.figure];
    const other = reference?.phases.find((candidate) => candidate.size === size)?.figures[target.figure];
    if (figure === undefined || (target.reference !== undefined && other === undefined)) continue;
    const values = figure.values.map((value, round) => value / (other?.values[round] ?? 1));
    const value = median(values);
    verdicts.push({
      ...(size !== undefined && { size }),
      value,
      low: quantile(values, 0.25),
      high: quantile(values, 0.75),
      subject: figure.median,
      ...(other !== undefined && { reference: other.median }),
      ...(isWanted(target) && { isMet: isMet(target, value) }),
    });
  }
  return { ...target, verdicts };
}

/** Whether anything is wanted of it; it is for comparison otherwise. @param {Target} target */
export const isWanted = ({ atMost, atLeast }) => atMost !== undefined || atLeast !== undefined;

/**
 * @param {Target} target
 * @param {number} value
 */
const isMet = ({ atMost = Infinity, atLeast = -Infinity }, value) => value <= atMost && value >= atLeast;

/** Whether less is better: a latency or a cost, and not a bandwidth or a rate. @param {Target} target */
export const isLessBetter = ({ figure }) => !figure.endsWith('PerSecond');

/** The one that is furthest from what is wanted. @param {TargetResult} target */
export function worstVerdict(target) {
  const sign = isLessBetter(target) ? 1 : -1;
  return target.verdicts.toSorted((a, b) => sign * (b.value - a.value))[0];
}

/** Results as text. */
import Table from 'cli-table3';
import { formatNumber, formatSize } from './text.mjs';
import { isWanted, worstVerdict } from './verdicts.mjs';

/** @typedef {import('./types.js').CaseResult} CaseResult */
/** @typedef {import('./types.js').TargetResult} TargetResult */

const plain = { head: [], border: [] };

/** @param {TargetResult} target */
export function wantedText({ atMost, atLeast, reference, unit = '' }) {
  const suffix = reference === undefined ? ` ${unit}` : ' ×';
  if (atMost !== undefined) return `≤ ${atMost}${suffix}`;
  return atLeast === undefined ? '' : `≥ ${atLeast}${suffix}`;
}

/** @param {TargetResult} target */
export function verdictText(target) {
  if (target.verdicts.length === 0) return 'FAILED';
  if (!isWanted(target)) return '';
  return target.verdicts.every(({ isMet }) => isMet) ? 'met' : 'NOT MET';
}

/**
 * A row for each target; of several sizes, the one that is furthest from what is wanted.
 *
 * @param {readonly CaseResult[]} cases
 */
export function targetTable(cases) {
  const table = new Table({
    head: ['case', 'what', 'ours', 'reference', 'ratio', 'quartiles', 'wanted', ''],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: plain,
  });
  for (const { name, targets, skipped } of cases) {
    if (skipped !== undefined) table.push([name, { colSpan: 7, content: `skipped: ${skipped.slice(0, 100)}` }]);
    for (const target of targets) {
      const { what, subject, reference = '', unit = '', verdicts } = target;
      const worst = worstVerdict(target);
      const at = worst?.size !== undefined && verdicts.length > 1 ? `, worst at ${formatSize(worst.size)}` : '';
      const side = (/** @type {string} */ who, /** @type {number | undefined} */ value) =>
        value === undefined ? who : `${who}: ${formatNumber(value)} ${unit}`;
      table.push([
        name,
        `${what}${at}`,
        side(subject, worst?.subject),
        side(reference, worst?.reference),
        worst?.reference === undefined ? '' : formatNumber(worst.value),
        worst === undefined ? '' : `${formatNumber(worst.low)} … ${formatNumber(worst.high)}`,
        wantedText(target),
        verdictText(target),
      ]);
    }
  }
  return table.toString();
}

/** Every figure. @param {readonly CaseResult[]} cases */
export function figureTable(cases) {
  const table = new Table({ head: ['case', 'who', 'size', 'figures: medians over the rounds'], style: plain });
  for (const { name, entries } of cases) {
    for (const { name: who, phases, error } of entries) {
      if (error !== undefined) table.push([name, who, '', error.slice(0, 100)]);
      for (const { size, figures } of phases) {
        const text = Object.entries(figures).map(([figure, { median }]) => `${figure} ${formatNumber(median)}`);
        table.push([name, who, size === undefined ? '' : formatSize(size), text.join(', ')]);
      }
    }
  }
  return table.toString();
}

// Adds up what .ci/run recorded: a line "name TAB exit status TAB vitest's JSON report or -" a step.
import { existsSync, readFileSync } from 'node:fs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * @param {string} report
 * @returns {Counts}
 */
function countTests(report) {
  if (!existsSync(report)) return { passed: 0, failed: 0, skipped: 0 };
  /** @type {Record<'numPassedTests' | 'numFailedTests' | 'numPendingTests' | 'numTodoTests', number>} */
  const result = JSON.parse(readFileSync(report, 'utf8'));
  return {
    passed: result.numPassedTests,
    failed: result.numFailedTests,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

/**
 * @param {boolean} succeeded
 * @param {string} report
 * @returns {Counts}
 */
function countStep(succeeded, report) {
  if (report === '-') {
    return { passed: Number(succeeded), failed: Number(!succeeded), skipped: 0 };
  }
  const counts = countTests(report);
  // a crash, or a file that did not load, fails the run without a failed test
  const isUncountedFailure = !succeeded && counts.failed === 0;
  // and a run that reports no test at all proves nothing
  const isEmpty = succeeded && counts.passed === 0;
  return { ...counts, failed: counts.failed + Number(isUncountedFailure || isEmpty) };
}

const [stepsFile = ''] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
process.stdout.write('\n=== summary\n');
for (const line of readFileSync(stepsFile, 'utf8').trimEnd().split('\n')) {
  const [name = '', status = '', report = '-'] = line.split('\t');
  const counts = countStep(status === '0', report);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  process.stdout.write(`${counts.failed === 0 ? 'passed' : `FAILED (exit status ${status})`}: ${name}\n`);
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;

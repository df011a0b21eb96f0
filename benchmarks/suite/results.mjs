/** Results on disk. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './usage-error.mjs';

/** @typedef {import('./types.js').Report} Report */

const FORMAT = 1;
const folder = fileURLToPath(new URL('../results', import.meta.url));

/** JSON with lists of numbers in a line each: they are long, and nobody compares them by eye. @param {Report} report */
export function formatReport(report) {
  const json = JSON.stringify(report, undefined, 1);
  return `${json.replace(/\[[\d\s.,eE+-]+\]/g, (list) => list.replace(/\s+/g, ''))}\n`;
}

/**
 * @param {string} file
 * @returns {Report}
 */
export function readReport(file) {
  /** @type {Omit<Report, 'format'> & { format: unknown }} */
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(error instanceof Error ? `${file}: ${error.message}` : file);
  }
  const { format, ...results } = report;
  if (format !== FORMAT) throw new UsageError(`${file}: expected results of format ${FORMAT}`);
  return { format, ...results };
}

/** Writes a file, and says so. @param {string} file @param {string} text */
export function writeFile(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stderr.write(`bench: wrote ${file}\n`);
}

/** Keeps results with the sources, by their date. @param {Report} report */
export function saveReport(report) {
  writeFile(`${folder}/${report.date.slice(0, 10)}.json`, formatReport(report));
}

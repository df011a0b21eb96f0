/** The command line of npm run bench. */
import { Command, InvalidArgumentError } from 'commander';
import { UsageError } from './usage-error.mjs';

/**
 * @typedef {object} Options
 * @property {RegExp} only which cases, by name
 * @property {boolean} quick
 * @property {number} rounds
 * @property {boolean} list
 * @property {boolean} details
 * @property {string | true | undefined} json a file, or true for stdout
 * @property {string | true | undefined} html a file, or true for build/bench.html
 * @property {string | true | undefined} image a file, or true for build/bench.svg
 * @property {boolean} save
 * @property {string | undefined} from
 * @property {string | undefined} compare
 */

const ROUNDS = 7;
/** The exit code of a command that cannot be. */
export const USAGE = 2;

/** @param {string} text */
function parseRounds(text) {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1) return rounds;
  throw new InvalidArgumentError('expected a whole number from 1.');
}

/** @param {string} text */
function parsePattern(text) {
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : 'expected a regular expression.');
  }
}

/** @returns {Options} */
export function readOptions() {
  const command = new Command('npm run bench --')
    .description('Measures node-libfabric beside references that are not its own: docs/benchmarks.md.')
    .option('--only <pattern>', 'cases whose names match this regular expression', parsePattern, /(?:)/)
    .option('--quick', 'one round, short phases, at most 90 s: to see that it works, not to judge', false)
    .option('--rounds <n>', `how often each is measured (default: ${ROUNDS}, with --quick 1)`, parseRounds)
    .option('--list', 'name the cases, and measure nothing', false)
    .option('--details', 'print every figure, not only those of targets', false)
    .option('--json [file]', 'write the results; to stdout, in place of the tables, where no file is named')
    .option('--html [file]', 'write a page with plots (default: build/bench.html)')
    .option('--image [file]', 'write the plot of latencies as an image (default: build/bench.svg)')
    .option('--save', 'keep the results in benchmarks/results', false)
    .option('--from <file>', 'take the results of --json or --save instead of measuring')
    .option('--compare <file>', 'exit with 1 where results are worse than those, beyond noise')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : USAGE))
    .parse();
  /** @type {Omit<Options, 'rounds'> & { rounds?: number }} */
  const options = command.opts();
  if (options.save && options.quick) throw new UsageError('--save: what --quick measures is nothing to keep');
  return { ...options, rounds: options.rounds ?? (options.quick ? 1 : ROUNDS) };
}

import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { compareResults, type Comparison, type PingpongResult } from '../bench/index.js';
import { systemErrorText } from '../system-error.js';
import { UsageError } from './exit-codes.js';
import { formatColumns, formatFigure } from './table.js';

/** `fabric-pingpong compare a.json b.json`: 10 when something is worse in b. @throws UsageError */
export function runCompare(argv: readonly string[]): 0 | 10 {
  const command = makeCompareCommand();
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    throw new UsageError(error.message.replace(/^error: /, ''));
  }
  const { tolerance = 10, json } = command.opts<{ tolerance?: number; json?: boolean }>();
  const [before, after] = command.args.map(readResult) as [PingpongResult, PingpongResult];
  const found = compareResults(before, after, tolerance / 100);
  if (found.length === 0) throw new UsageError('the two have no size in common');
  process.stdout.write(
    json === true ? `${JSON.stringify(found, undefined, 2)}\n` : formatComparison(found, before, after),
  );
  return found.some(({ verdict }) => verdict === 'worse') ? 10 : 0;
}

/** The options, which the help shows. */
export function makeCompareCommand(): Command {
  return new Command('fabric-pingpong compare')
    .description('Compares two results of --json. Exits 10 when a figure of the second is worse.')
    .argument('<before.json>')
    .argument('<after.json>')
    .option('--tolerance <percent>', 'what a figure may change by (default: 10)', (text) => {
      if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It has to be a number.');
      return Number(text);
    })
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nA percentile is worse only where chance alone does not explain it: the 99 % confidence\n' +
        'intervals of the two do not touch.',
    )
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
}

function readResult(file: string): PingpongResult {
  let read: Partial<PingpongResult>;
  try {
    read = JSON.parse(readFileSync(file, 'utf8')) as Partial<PingpongResult>;
  } catch (error) {
    throw new UsageError(`${file}: ${systemErrorText(error)}`);
  }
  const isResult =
    Array.isArray(read.measurements) && read.measurements.every(({ latency }) => !latency || 'histogram' in latency);
  if (isResult) return read as PingpongResult;
  throw new UsageError(`${file}: is no output of fabric-pingpong --json`);
}

function formatComparison(found: readonly Comparison[], before: PingpongResult, after: PingpongResult): string {
  const lines = before.provider === after.provider ? [] : [`! ${before.provider} before, ${after.provider} after`, ''];
  const rows = found.map(({ size, figure, unit, before: one, after: two, ratio, verdict }) => [
    String(size),
    figure,
    formatFigure(one),
    formatFigure(two),
    unit,
    `${((ratio - 1) * 100).toFixed(1)} %`,
    verdict,
  ]);
  lines.push(formatColumns(['bytes', 'figure', 'before', 'after', 'unit', 'change', 'verdict'], rows));
  return `${lines.join('\n')}\n`;
}

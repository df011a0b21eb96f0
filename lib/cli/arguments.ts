import { createRequire } from 'node:module';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_PORT, type Door } from '../bench/index.js';
import { EXIT_CODES, UsageError } from './exit-codes.js';

/** What the command line asks for. */
export interface Arguments {
  /** `local`, `serve`, or the host of a server. */
  target: string;
  options: Options;
}

/** What was given of the options; the rest is for the library to decide. */
export interface Options {
  provider?: string;
  require?: string;
  sizes?: number[];
  iterations?: number;
  warmup?: number;
  window?: number;
  door?: Door;
  port?: number;
  bind?: string;
  keep?: boolean;
  /** In milliseconds. */
  timeout?: number;
}

/** The options by their names on the command line. */
type Given = Omit<Options, 'iterations'> & { iters?: number; json?: boolean };

const UNITS: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** What only one end has a use for: to take it silently at the other would mislead. */
const MEASURING = ['require', 'sizes', 'iters', 'warmup', 'window', 'door'] as const;
const SERVING = ['bind', 'keep'] as const;

/**
 * Reads the command line. Undefined when `--help` or `--version` was asked for and answered.
 * Throws a UsageError.
 */
export function parseArguments(argv: readonly string[]): Arguments | undefined {
  const command = makeCommand();
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(error.message.replace(/^error: /, ''));
  }
  const target = command.args[0]!;
  const given = command.opts<Given>();
  refuse(target === 'serve' ? MEASURING : SERVING, given, target);
  if (target === 'local') refuse(['port'], given, target);
  const { iters, ...options } = given;
  return { target, options: { ...options, ...(iters === undefined ? {} : { iterations: iters }) } };
}

function refuse(names: readonly (keyof Given)[], given: Given, target: string): void {
  const misplaced = names.find((name) => given[name] !== undefined);
  if (misplaced !== undefined) throw new UsageError(`--${misplaced} has no meaning with ${target}`);
}

function makeCommand(): Command {
  const codes = Object.entries(EXIT_CODES).map(([code, text]) => `  ${code.padStart(3)}  ${text}`);
  return new Command('fabric-pingpong')
    .description('Measures latency and bandwidth between two processes over libfabric.')
    .usage('[options] <local|serve|host>')
    .argument(
      '<local|serve|host>',
      'local: both ends on this host; serve: wait for a client; else the host that serves',
    )
    .option('-p, --provider <name>', 'use this provider and no other, e.g. efa, shm, "tcp;ofi_rxm"')
    .option('--require <name>', 'fail unless this provider is the one chosen')
    .option('--sizes <list>', 'bytes of a message, e.g. 64,4k,1M (k, M, G: powers of 1024)', parseSizes)
    .option(
      '--iters <n>',
      'round trips a size (default: 10000, from 64k 1000, from 1M 100; fewer where that takes over a second)',
      parseCount,
    )
    .option('--warmup <n>', 'round trips before those (default: a tenth, 10 to 1000)', parseCount)
    .option('--window <n>', 'messages in flight for bandwidth (default: 64)', parseCount)
    .addOption(new Option('--door <door>', 'completions in batches, or a promise each').choices(['batch', 'await']))
    .option('--port <n>', `control port of the server, TCP (default: ${DEFAULT_PORT})`, parseCount)
    .option('--bind <address>', 'serve: listen on this address only')
    .option('--keep', 'serve: one client after another, until SIGINT')
    .option('--timeout <seconds>', 'what any phase may take without progress (default: 10)', parseSeconds)
    .option('--json', 'exactly one JSON object on stdout, also on failure')
    .version(readVersion())
    .addHelpText(
      'after',
      [
        '',
        'Latency is one-way, half of each round trip, in µs; MB/s is 10^6 bytes a second.',
        "The client's options win; the ends agree on the best provider that both have.",
        '',
        'Exit codes:',
        ...codes,
      ].join('\n'),
    )
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
}

function parseSizes(list: string): number[] {
  return list.split(',').map((size) => {
    const match = /^(\d+)([kmg]?)$/i.exec(size.trim());
    if (!match) throw new InvalidArgumentError(`"${size}" is no size such as 64, 4k or 1M.`);
    return Number(match[1]) * UNITS[match[2]!.toLowerCase()]!;
  });
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It has to be a whole number.');
  return Number(text);
}

function parseSeconds(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It has to be a number of seconds.');
  return Math.round(Number(text) * 1000);
}

function readVersion(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as {
    version: string;
  };
  return version;
}

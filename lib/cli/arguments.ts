import { createRequire } from 'node:module';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import {
  DEFAULT_PORT,
  DOORS,
  ENDPOINT_TYPES,
  OPERATIONS,
  POLLS,
  TESTS,
  type Door,
  type EndpointType,
  type Operation,
  type Pin,
  type PingpongOptions,
  type Poll,
  type ServeOptions,
  type Test,
} from '../bench/index.js';
import { COMPAT_PROGRAMS } from './compat-arguments.js';
import { EXIT_CODES, UsageError } from './exit-codes.js';
import { UNITS, type Units } from '../report/units.js';

/** What the command line asks for. */
export interface Arguments {
  /** `local`, `serve`, or the host of a server. */
  target: string;
  options: Options;
}

/** What was given of the options; the rest is for the library to decide. */
export type Options = Omit<PingpongOptions, 'host' | 'signal' | 'onSelected' | 'onProgress' | 'onMeasurement'> &
  Pick<ServeOptions, 'bind' | 'keep'>;

/** The options by their names on the command line. */
interface Given {
  provider?: string;
  require?: string;
  allowFallback?: boolean;
  maxP99?: number;
  minBw?: number;
  epType?: EndpointType;
  op?: Operation;
  test?: Test;
  sizes?: number[];
  iters?: number;
  time?: number;
  warmup?: number;
  window?: number;
  streams?: number;
  door?: Door;
  poll?: Poll;
  pin?: Pin;
  verify?: boolean;
  port?: number;
  bind?: string;
  keep?: boolean;
  timeout?: number;
  units?: Units;
  samples?: boolean;
  json?: boolean;
  ndjson?: boolean;
  csv?: boolean;
  schema?: boolean;
}

const SUFFIXES: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** What only one end has a use for: to take it silently at the other would mislead. */
const MEASURING = [
  'require',
  'allowFallback',
  'maxP99',
  'minBw',
  'epType',
  'op',
  'test',
  'sizes',
  'iters',
  'time',
  'warmup',
  'window',
  'streams',
  'door',
  'poll',
  'verify',
  'units',
  'samples',
  'ndjson',
  'csv',
] as const;
const SERVING = ['bind', 'keep'] as const;
/** How results are printed is the business of Output. */
const PRINTING = ['json', 'ndjson', 'csv', 'units', 'schema'];

/**
 * Reads the command line. Undefined when `--help` or `--version` was asked for and answered.
 * Throws a UsageError.
 */
export function parseArguments(argv: readonly string[]): Arguments | undefined {
  const command = makePingpongCommand();
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
  const { iters, maxP99, minBw, epType, op, ...same } = Object.fromEntries(
    Object.entries(given).filter(([name]) => !PRINTING.includes(name)),
  ) as Omit<Given, 'json' | 'ndjson' | 'csv' | 'units' | 'schema'>;
  const thresholds = defined({ maxP99, minBandwidth: minBw });
  const renamed = defined({ iterations: iters, endpointType: epType, operation: op });
  return { target, options: { ...same, ...renamed, ...(Object.keys(thresholds).length > 0 ? { thresholds } : {}) } };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function refuse(names: readonly (keyof Given)[], given: Given, target: string): void {
  const misplaced = names.find((name) => given[name] !== undefined);
  if (misplaced === undefined) return;
  const option = misplaced.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UsageError(`--${option} has no meaning with ${target}`);
}

/** The options, from which the help, the man page and the completions are made. */
export function makePingpongCommand(): Command {
  const codes = Object.entries(EXIT_CODES).map(([code, text]) => `  ${code.padStart(3)}  ${text}`);
  return new Command('fabric-pingpong')
    .description('Measures latency and bandwidth between two processes over libfabric.')
    .usage(
      '[options] <local|serve|host>\n       fabric-pingpong compare [options] <before.json> <after.json>\n       fabric-pingpong --compat <fi_pingpong|fabtests> [options] [host]',
    )
    .argument(
      '<local|serve|host>',
      'local: both ends on this host; serve: wait for a client; else the host that serves',
    )
    .option('-p, --provider <name>', 'use this provider and no other, e.g. efa, shm, "tcp;ofi_rxm"')
    .option('--require <name>', 'fail unless this provider is the one chosen')
    .option('--allow-fallback', 'measure over software although this host has a device for RDMA')
    .option('--max-p99 <µs>', 'exit 10 when the p99 of a size is larger', parseFigure)
    .option('--min-bw <MB/s>', 'exit 10 when the bandwidth of a size is smaller', parseFigure)
    .addOption(new Option('-e, --ep-type <type>', 'endpoint type (default: rdm)').choices(ENDPOINT_TYPES))
    .addOption(new Option('--op <operation>', 'what moves the data (default: msg)').choices(OPERATIONS))
    .addOption(
      new Option(
        '--test <test>',
        'latency, bandwidth, bandwidth both ways, or messages a second (default: lat and bw)',
      ).choices(TESTS),
    )
    .option(
      '--sizes <list>',
      'bytes of a message: 64,4k,1M (k, M, G: powers of 1024), ranges 64..4M*2 or 64..256+64, or all',
      parseSizes,
    )
    .option(
      '--iters <n>',
      'round trips a size (default: 10000, from 64k 1000, from 1M 100; fewer where that takes over a second)',
      parseCount,
    )
    .option('--time <seconds>', 'so long for each test of a size, instead of --iters', parseSeconds)
    .option('--warmup <n>', 'round trips before those (default: a tenth, 10 to 1000)', parseCount)
    .option('--window <n>', 'messages in flight for bandwidth (default: 64)', parseCount)
    .option('--streams <n>', 'endpoints at each end that share the bandwidth (default: 1)', parseCount)
    .addOption(new Option('--door <door>', 'completions in batches, or a promise each (default: batch)').choices(DOORS))
    .addOption(new Option('--poll <how>', 'how the await door waits; batch spins (default: auto)').choices(POLLS))
    .option('--pin <processor>', 'keep this end on a processor: its number, or auto', parsePin)
    .option('--verify', 'compare every message with what was sent')
    .option('--port <n>', `control port of the server, TCP (default: ${DEFAULT_PORT})`, parseCount)
    .option('--bind <address>', 'serve: listen on this address only')
    .option('--keep', 'serve: one client after another, until SIGINT')
    .addOption(
      new Option('--compat <program>', "speak to C's program; --compat fi_pingpong --help lists the options").choices(
        COMPAT_PROGRAMS,
      ),
    )
    .option('--classic', "print fi_pingpong's columns, byte for byte")
    .option('--classic-exit', 'exit with the number of the error, as fi_pingpong does')
    .option('--timeout <seconds>', 'what any phase may take without progress (default: 10)', parseSeconds)
    .addOption(new Option('--units <unit>', 'of bandwidth in the table and page (default: MB)').choices(UNITS))
    .option('--json', 'exactly one JSON object on stdout, also on failure; --json=FILE: in a file')
    .option('--ndjson', 'a line of JSON for each event: selected, progress, measurement, end')
    .option('--samples', 'every sample in the JSON')
    .option('--csv', 'a line of comma-separated values for each size')
    .option('--html <file>', 'a page with figures and plots, in one file')
    .option('--schema', 'print the JSON Schema of --json')
    .version(readVersion())
    .addHelpText(
      'after',
      [
        '',
        'Latency is one-way, half of each round trip, in µs; of --op write and read it',
        'is the time of an operation. MB is 10^6 bytes, MiB 2^20, Gb 10^9 bits.',
        "The client's options win; the ends agree on the best provider that both have.",
        '',
        'Exit codes:',
        ...codes,
      ].join('\n'),
    )
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
}

/** Each power of two to 4 MiB, and half of it more, as fi_pingpong's `-S all`, without the empty message. */
const ALL_SIZES = [1, ...Array.from({ length: 22 }, (_, power) => [2 ** (power + 1), 3 * 2 ** power]).flat()];
const MOST_SIZES = 1000;

function parseSizes(list: string): number[] {
  const sizes = list.split(',').flatMap((part) => {
    const text = part.trim();
    if (text === 'all') return ALL_SIZES;
    return text.includes('..') ? parseRange(text) : [parseSize(text)];
  });
  if (sizes.length <= MOST_SIZES) return sizes;
  throw new InvalidArgumentError(`It has more than ${MOST_SIZES} sizes.`);
}

/** `64..4M*2`: each twice the one before; `64..256+64`: each 64 more. */
function parseRange(text: string): number[] {
  const [, from, to, operator, by] = /^(\w+)\.\.(\w+)([*+])(\w+)$/.exec(text) ?? [];
  if (by === undefined) throw new InvalidArgumentError(`"${text}" is no range such as 64..4M*2 or 64..256+64.`);
  const [last, step] = [parseSize(to!), parseSize(by)];
  const isEndless = operator === '*' ? step < 2 : step < 1;
  if (isEndless) throw new InvalidArgumentError(`"${text}" does not grow.`);
  const sizes: number[] = [];
  for (
    let size = parseSize(from!);
    size <= last && sizes.length <= MOST_SIZES;
    size = operator === '*' ? size * step : size + step
  ) {
    sizes.push(size);
    if (size === 0) throw new InvalidArgumentError(`"${text}" begins with 0.`);
  }
  return sizes;
}

function parseSize(text: string): number {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  if (!match) throw new InvalidArgumentError(`"${text}" is no size such as 64, 4k or 1M.`);
  return Number(match[1]) * SUFFIXES[match[2]!.toLowerCase()]!;
}

function parseFigure(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It has to be a number.');
  return Number(text);
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It has to be a whole number.');
  return Number(text);
}

function parsePin(text: string): Pin {
  if (text !== 'auto' && !/^\d+$/.test(text)) throw new InvalidArgumentError('It has to be a number or auto.');
  return text === 'auto' ? text : Number(text);
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

import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { ClassicOptions } from '../bench/index.js';
import { UsageError } from './exit-codes.js';

/** What `fabric-pingpong --compat fi_pingpong` was asked for. */
export interface CompatArguments {
  options: ClassicOptions;
  json: boolean;
}

interface Given {
  B?: number;
  P?: number;
  d?: string;
  p?: string;
  f?: string;
  s?: string;
  e?: string;
  I?: number;
  S?: number | 'all';
  c?: boolean;
  m?: string;
  6?: boolean;
  timeout?: number;
  json?: boolean;
}

/** What of C `--compat` speaks to. */
export const COMPAT_PROGRAMS = ['fi_pingpong'] as const;

/** Whether the command line is for {@link parseCompatArguments}. */
export function isCompat(argv: readonly string[]): boolean {
  return argv.some((word) => word === '--compat' || word.startsWith('--compat='));
}

/** Reads the command line. Undefined when `--help` was asked for and answered. @throws UsageError */
export function parseCompatArguments(argv: readonly string[]): CompatArguments | undefined {
  const command = makeCompatCommand();
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(error.message.replace(/^error: /, ''));
  }
  const { B, P, d, p, f, s, e, I, S, c, m, 6: ipv6, timeout, json } = command.opts<Given>();
  const host = command.args[0];
  const isClient = host !== undefined;
  const options = {
    host,
    port: isClient ? P : B,
    sourcePort: isClient ? B : undefined,
    provider: p,
    domain: d,
    fabric: f,
    source: s,
    endpointType: e as ClassicOptions['endpointType'],
    operation: m === undefined ? undefined : m === 'msg' ? 'msg' : 'tagged',
    iterations: I,
    size: S,
    verify: c,
    ipv6,
    timeout,
  };
  return {
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    json: json ?? false,
  };
}

/** The options, by C's letters. */
export function makeCompatCommand(): Command {
  return new Command('fabric-pingpong --compat fi_pingpong')
    .description("Speaks to C's fi_pingpong: as its client with a host, as its server without.")
    .usage('[options] [host]')
    .argument('[host]', 'where a fi_pingpong serves')
    .option('--compat <program>', 'fi_pingpong', parseProgram)
    .option('-B <port>', 'control port of a server (default: 47592); source port of a client', parsePort)
    .option('-P <port>', "client: the server's control port (default: 47592); a server ignores it, as in C", parsePort)
    .option('-d <domain>', 'domain, e.g. lo or rdmap0s6-dgrm')
    .option('-p <provider>', 'provider; both ends need the same, and the same protocol')
    .option('-f <fabric>', 'fabric')
    .option('-s <address>', 'the address that the data leaves from')
    .option('-e <type>', 'endpoint type: msg, rdm or dgram (default: dgram)', parseType)
    .option('-I <number>', 'round trips a size (default: 10)', parseCount)
    .option('-S <size>', 'bytes of a message, or all (default: 64, 256, 1k, 4k, 64k, 1M)', parseSize)
    .option('-c', 'check the data')
    .option('-m <mode>', 'msg or tagged (default: msg)', parseOperation)
    .option('-6', 'control connection over IPv6')
    .option('-v', 'accepted; NODE_DEBUG=fabric-pingpong prints more')
    .option('--timeout <seconds>', 'what any phase may take without progress (default: 10)', parseSeconds)
    .option('--classic', "print C's columns, byte for byte")
    .option('--classic-exit', "exit as C's program does, with the number of the error")
    .option('--json', 'exactly one JSON object on stdout, also on failure')
    .addHelpText(
      'after',
      '\nNothing is negotiated: start both ends with the same -p, -e, -m, -S, -I and -c.\n' +
        "Averages of C's -I 10 have no warm-up in them; take -I 10000 at both ends.",
    )
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
}

function parseProgram(text: string): string {
  if (text === 'fi_pingpong') return text;
  throw new InvalidArgumentError('It has to be fi_pingpong.');
}

function parseType(text: string): string {
  const type = text.toLowerCase();
  if (['msg', 'rdm', 'dgram'].includes(type)) return type;
  throw new InvalidArgumentError('It has to be msg, rdm or dgram.');
}

function parseOperation(text: string): string {
  const operation = text.toLowerCase();
  if (['msg', 'tagged'].includes(operation)) return operation;
  throw new InvalidArgumentError('It has to be msg or tagged.');
}

function parseSize(text: string): number | 'all' {
  if (text.toLowerCase() === 'all') return 'all';
  return parseWhole(text, 2 ** 31 - 1);
}

const parsePort = (text: string): number => parseWhole(text, 65_535);
const parseCount = (text: string): number => parseWhole(text, 2 ** 31 - 1);

function parseWhole(text: string, most: number): number {
  if (/^\d+$/.test(text) && Number(text) <= most) return Number(text);
  throw new InvalidArgumentError(`It has to be a whole number up to ${most}.`);
}

function parseSeconds(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It has to be a number of seconds.');
  return Math.round(Number(text) * 1000);
}

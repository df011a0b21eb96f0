import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { ClassicOptions, CompatProgram, FabtestsOptions } from '../bench/index.js';
import { UsageError } from './exit-codes.js';

/** What `fabric-pingpong --compat` was asked for. */
export interface CompatArguments {
  session: { program: 'fi_pingpong'; options: ClassicOptions } | { program: 'fabtests'; options: FabtestsOptions };
  json: boolean;
  /** Whether to say each phase. */
  verbose: boolean;
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
  b?: number;
  v?: boolean;
  w?: number;
  timeout?: number;
  json?: boolean;
}

/** What of C `--compat` speaks to. */
export const COMPAT_PROGRAMS: readonly CompatProgram[] = ['fi_pingpong', 'fabtests'];

/** Whether the command line is for {@link parseCompatArguments}. */
export function isCompat(argv: readonly string[]): boolean {
  return argv.some((word) => word === '--compat' || word.startsWith('--compat='));
}

/** Reads the command line. Undefined when `--help` was asked for and answered. @throws UsageError */
export function parseCompatArguments(argv: readonly string[]): CompatArguments | undefined {
  const program = readProgram(argv);
  const command = program === 'fabtests' ? makeFabtestsCommand() : makeCompatCommand();
  try {
    // -b alone says what is so anyway, and would take the host for a port
    command.parse(program === 'fabtests' ? argv.filter((word) => word !== '-b') : argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(error.message.replace(/^error: /, ''));
  }
  const { B, P, b, d, p, f, s, e, I, S, c, m, v, w, 6: ipv6, timeout, json = false } = command.opts<Given>();
  const host = command.args[0];
  const isClient = host !== undefined;
  const common = { host, provider: p, domain: d, fabric: f, iterations: I, size: S, timeout };
  if (program === 'fabtests') {
    const options = defined({ ...common, port: b, warmup: w, verify: v });
    return { session: { program, options }, json, verbose: false };
  }
  const options = defined({
    ...common,
    port: isClient ? P : B,
    sourcePort: isClient ? B : undefined,
    source: s,
    endpointType: e as ClassicOptions['endpointType'],
    operation: m as ClassicOptions['operation'],
    verify: c,
    ipv6,
  });
  return { session: { program, options }, json, verbose: v ?? false };
}

/** Which program of C the command line names, wherever it does. */
function readProgram(argv: readonly string[]): CompatProgram {
  const index = argv.findIndex((word) => word === '--compat' || word.startsWith('--compat='));
  const name = argv[index] === '--compat' ? argv[index + 1] : argv[index]?.slice('--compat='.length);
  const program = COMPAT_PROGRAMS.find((known) => known === name);
  if (program !== undefined) return program;
  throw new UsageError(`--compat ${name ?? ''}: it has to be ${COMPAT_PROGRAMS.join(' or ')}`);
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** The options of `--compat fabtests`, by C's letters. */
export function makeFabtestsCommand(): Command {
  return withOutput(
    new Command('fabric-pingpong --compat fabtests')
      .description(
        "Speaks to fabtests' fi_rdm_pingpong -b, from 1.22 on: as its client with a host, else as its server.",
      )
      .usage('[options] [host]')
      .argument('[host]', 'where a fi_rdm_pingpong -b serves')
      .addOption(compatOption())
      .option('-b [=port]', 'addresses over TCP, as always here; the port (default: 3000)', (text) =>
        parsePort(text.replace(/^=/, '')),
      )
      .option('-d <domain>', 'domain, e.g. lo or rdmap0s6-rdm')
      .option('-p <provider>', 'provider; both ends need the same, and the same protocol')
      .option('-f <fabric>', 'fabric')
      .option('-I <number>', 'round trips a size (default: 10000, from 64k 1000, from 1M 100)', parseCount)
      .option('-w <number>', 'round trips before those (default: 10)', parseCount)
      .option('-S <size>', 'bytes of a message, or all (default: 64, 256, 1k, 4k, 64k, 1M)', parseSize)
      .option('-v', 'check the data'),
  ).addHelpText('after', '\nNothing is negotiated: start both ends with the same -p, -S, -I, -w and -v.');
}

/** The options, by C's letters. */
export function makeCompatCommand(): Command {
  return withOutput(
    new Command('fabric-pingpong --compat fi_pingpong')
      .description("Speaks to C's fi_pingpong: as its client with a host, as its server without.")
      .usage('[options] [host]')
      .argument('[host]', 'where a fi_pingpong serves')
      .addOption(compatOption())
      .option('-B <port>', 'control port of a server (default: 47592); source port of a client', parsePort)
      .option(
        '-P <port>',
        "client: the server's control port (default: 47592); a server ignores it, as in C",
        parsePort,
      )
      .option('-d <domain>', 'domain, e.g. lo or rdmap0s6-dgrm')
      .option('-p <provider>', 'provider; both ends need the same, and the same protocol')
      .option('-f <fabric>', 'fabric')
      .option('-s <address>', 'the address that the data leaves from')
      .addOption(withChoices('-e <type>', 'endpoint type (default: dgram)', ['msg', 'rdm', 'dgram']))
      .option('-I <number>', 'round trips a size (default: 10)', parseCount)
      .option('-S <size>', 'bytes of a message, or all (default: 64, 256, 1k, 4k, 64k, 1M)', parseSize)
      .option('-c', 'check the data')
      .addOption(withChoices('-m <mode>', 'kind of messages (default: msg)', ['msg', 'tagged']))
      .option('-6', 'control connection over IPv6')
      .option('-v', 'say each phase on stderr'),
  ).addHelpText(
    'after',
    '\nNothing is negotiated: start both ends with the same -p, -e, -m, -S, -I and -c.\n' +
      "Averages of C's -I 10 have no warm-up in them; take -I 10000 at both ends.",
  );
}

/** What both programs take besides C's letters. */
function withOutput(command: Command): Command {
  return command
    .option('--timeout <seconds>', 'what any phase may take without progress (default: 10)', parseSeconds)
    .option('--classic', "print C's columns, byte for byte")
    .option('--classic-exit', "exit as C's program does, with the number of the error")
    .option('--json', 'exactly one JSON object on stdout, also on failure')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
}

const compatOption = (): Option => new Option('--compat <program>', 'which program of C').choices(COMPAT_PROGRAMS);

/** As C does, it takes words in either case. */
function withChoices(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices).argParser((text) => {
    const word = text.toLowerCase();
    if (choices.includes(word)) return word;
    throw new InvalidArgumentError(`It has to be ${choices.join(', ')}.`);
  });
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

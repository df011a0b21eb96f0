import { createRequire } from 'node:module';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { CONTAINER_KINDS, CONTROL_PORT, type Consumer, type ContainerKind, type Peer } from '../doctor/index.js';

/** What the command line asks for. */
export interface DoctorArguments {
  readonly command: 'examine' | 'merge';
  /** Reports to merge, or the command to watch. */
  readonly operands: readonly string[];
  readonly options: DoctorOptions;
}

/** The options by their names. */
export interface DoctorOptions {
  readonly json?: boolean;
  readonly html?: string;
  readonly verbose?: boolean;
  readonly strict?: boolean;
  readonly root?: string;
  readonly bundle?: string;
  readonly for?: Consumer;
  readonly expect?: string | number;
  readonly log?: string;
  readonly watch?: boolean;
  readonly loopback?: boolean;
  readonly peer?: Peer;
  readonly imds?: boolean;
  readonly provider: string;
  readonly container?: ContainerKind;
  readonly checkContainer?: boolean;
  readonly listChecks?: boolean;
  readonly explain?: string;
  readonly schema?: boolean;
}

/** A wrong option or argument. */
export class DoctorUsageError extends Error {
  override readonly name = 'DoctorUsageError';
}

const CODES = [
  '    0  EFA is usable',
  '    1  degraded: used, but slower than it could be; with --strict any warning',
  '    2  fallback or unusable: TCP is taken instead, or programs fail',
  '    3  EFA does not apply to this machine',
  '   64  usage: an option or argument is wrong',
  '   70  internal error',
  'With --watch: that of the command.',
];

/** Reads the command line. Undefined when --help or --version was answered. @throws DoctorUsageError */
export function parseDoctorArguments(argv: readonly string[]): DoctorArguments | undefined {
  const command = makeDoctorCommand();
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new DoctorUsageError(error.message.replace(/^error: /, ''));
  }
  const options = command.opts<DoctorOptions>();
  const [first, ...rest] = command.args;
  if (options.watch === true) {
    if (first === undefined) throw new DoctorUsageError('--watch needs a command: fabric-doctor --watch -- COMMAND');
    return { command: 'examine', operands: command.args, options };
  }
  if (first === 'merge') {
    if (rest.length === 0) throw new DoctorUsageError('merge needs reports: fabric-doctor merge a.json b.json');
    return { command: 'merge', operands: rest, options };
  }
  if (first !== undefined && (first !== 'efa' || rest.length > 0))
    throw new DoctorUsageError(`unknown command ${first}`);
  const live = ['bundle', 'loopback', 'peer', 'imds'] as const;
  const misplaced = live.find((name) => options.root !== undefined && options[name] !== undefined);
  if (misplaced !== undefined)
    throw new DoctorUsageError(`--${misplaced} needs this machine: it has no meaning with --root`);
  return { command: 'examine', operands: [], options };
}

/** The version of this package. */
export function packageVersion(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
}

/** The options, from which the help, the man page and the completions are made. */
export function makeDoctorCommand(): Command {
  return new Command('fabric-doctor')
    .description('Says why this node is not on EFA, which step failed first, and how to repair it.')
    .usage('[options] [efa | merge FILE... | --watch -- COMMAND...]')
    .argument('[efa|merge|file...]')
    .option('-v, --verbose', 'every check with what was seen')
    .option('--json', 'exactly one JSON object on stdout (--schema describes it)')
    .option('--html <file>', 'the stack as a picture: a page that needs nothing else')
    .addOption(new Option('--for <consumer>', 'judge by this alone').choices(['libfabric', 'nccl', 'mpi']))
    .option('--expect <type|n>', 'the instance type, or how many EFA devices there should be', parseExpectation)
    .option('--strict', 'exit code 1 where there is any warning')
    .option('--root <dir|bundle>', 'examine this copy of a machine; nothing is executed')
    .option('--bundle <out.tar.gz>', 'write such a copy of what was read here; nothing secret is in it')
    .option('--log <file>', 'known faults in what NCCL, Open MPI or libfabric wrote; - reads standard input')
    .option('--watch', 'run a command and say whether it used EFA')
    .option('--loopback', 'traffic through each device of this node, shared memory off')
    .option('--peer <host[:port]>', 'traffic to a peer on which `fabric-pingpong serve` runs', parsePeer)
    .option('--provider <name>', 'of --loopback and --peer', 'efa')
    .addOption(
      new Option('--container <kind>', 'how to start a container with these devices').choices([...CONTAINER_KINDS]),
    )
    .option('--check-container', 'from inside a container: what it was given, and what it lacks')
    .option('--imds', 'ask the instance metadata service for the instance type')
    .option('--list-checks', 'every check by its id')
    .option('--explain <id>', 'why a check matters, and how to repair it')
    .option('--schema', 'the JSON Schema of --json')
    .version(packageVersion())
    .addHelpText('after', ['', 'Exit codes:', ...CODES].join('\n'))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
}

/** HOST, HOST:PORT, or [ADDRESS]:PORT. */
function parsePeer(text: string): Peer {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? text;
  if (host === '' || Number(port ?? 1) > 65_535 || port === '0')
    throw new InvalidArgumentError('It has to be HOST or HOST:PORT.');
  return { host, port: Number(port ?? CONTROL_PORT) };
}

function parseExpectation(text: string): string | number {
  if (/^\d+$/.test(text)) return Number(text);
  if (/^[a-z0-9-]+\.[a-z0-9-]+$/.test(text)) return text;
  throw new InvalidArgumentError('It has to be an instance type such as p5.48xlarge, or a number.');
}

/** A machine to examine: this one, or a copy of one in a folder. */
import { closeSync, constants, openSync } from 'node:fs';
import { release } from 'node:os';
import { FileTree } from './file-tree.js';

/** What libfabric answered to a question about efa. */
export interface EfaAnswer {
  /** Domains of reliable endpoints; empty where the question failed. */
  readonly domains: readonly string[];
  readonly fabrics: readonly string[];
  /** libfabric's code, where it failed. */
  readonly error?: string | undefined;
}

/** What the instance metadata service says of this machine. */
export interface InstanceAnswer {
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  /** Why there is no answer. */
  readonly error?: string | undefined;
}

/** What came of traffic over a device, or to a peer. */
export interface TrafficResult {
  /** The device, or HOST:PORT. */
  readonly name: string;
  readonly works: boolean;
  readonly message: string;
  readonly fix: readonly string[];
}

/** What only a running machine can say. */
export interface LiveFacts {
  readonly libraryPath?: string | undefined;
  readonly libraryVersion?: string | undefined;
  readonly efa?: EfaAnswer | undefined;
  /** The same with FI_HMEM. */
  readonly hmem?: EfaAnswer | undefined;
  /** What libfabric takes for reliable endpoints when nobody chooses: the first entry. */
  readonly first?: string | undefined;
  /** Each libfabric file that is mapped after that. */
  readonly mapped?: readonly string[] | undefined;
  /** Warnings of efa meanwhile. */
  readonly log?: readonly string[] | undefined;
  /** libfabric did not survive the question, or was not there. */
  readonly failure?: string | undefined;
  /** Why nobody could ask: the addon of this package does not load. */
  readonly notAsked?: string | undefined;
  /** What the instance metadata service says, where that was asked. */
  readonly instance?: InstanceAnswer | undefined;
  /** Of `--loopback`, device by device, and of `--peer`. */
  readonly loopback?: readonly TrafficResult[] | undefined;
  readonly peer?: readonly TrafficResult[] | undefined;
}

/** What checks may ask of a machine. */
export interface Host {
  /** `/` for the machine that this runs on. */
  readonly root: string;
  readonly isLive: boolean;
  readonly files: FileTree;
  readonly environment: Readonly<Record<string, string>>;
  /** As `uname -m` and `uname -r` have it. */
  readonly machine: string | undefined;
  readonly kernel: string | undefined;
  readonly live: LiveFacts | undefined;
  /** What open(2) for reading and writing says: `'ok'` or the name of the error; undefined where it was not tried. */
  openDevice(path: string): string | undefined;
}

/** Where a tree keeps what is not in files. */
export const OVERLAY = '/.fabric-doctor';

const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** The machine that this process runs on. */
export class LiveHost implements Host {
  readonly root = '/';
  readonly isLive = true;
  readonly files: FileTree;
  readonly environment: Readonly<Record<string, string>>;
  readonly machine = MACHINES[process.arch] ?? process.arch;
  readonly kernel = release();
  readonly live: LiveFacts | undefined;
  /** What opening said, for a bundle. */
  readonly opened = new Map<string, string>();

  constructor(live?: LiveFacts, environment: NodeJS.ProcessEnv = process.env) {
    this.live = live;
    // where libibverbs looks, too
    this.files = new FileTree('/', environment['SYSFS_PATH']);
    this.environment = Object.fromEntries(
      Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  }

  openDevice(path: string): string {
    const result = tryOpen(path);
    this.opened.set(path, result);
    return result;
  }
}

function tryOpen(path: string): string {
  try {
    closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** A tree as a bundle has it: files below `root`, the rest below `root/.fabric-doctor`. Nothing is executed. */
export class TreeHost implements Host {
  readonly root: string;
  readonly isLive = false;
  readonly files: FileTree;
  readonly environment: Readonly<Record<string, string>>;
  readonly machine: string | undefined;
  readonly kernel: string | undefined;
  readonly live: LiveFacts | undefined;
  readonly #opened: Readonly<Record<string, unknown>>;

  constructor(root: string) {
    this.root = root;
    this.files = new FileTree(root);
    this.environment = this.#environment();
    const { machine, release: kernel } = this.#json('uname.json');
    this.machine = stringOf(machine) ?? this.files.text('/proc/sys/kernel/arch');
    this.kernel = stringOf(kernel) ?? this.files.text('/proc/sys/kernel/osrelease');
    const live = this.#json('live.json');
    this.live = Object.keys(live).length === 0 ? undefined : readLiveFacts(live);
    this.#opened = this.#json('open.json');
  }

  openDevice(path: string): string | undefined {
    return stringOf(this.#opened[path]);
  }

  /** Lines of NAME=value in the overlay, or what a process had when it started. */
  #environment(): Record<string, string> {
    // blanks at the end of a value count
    const overlay = this.files.binary(`${OVERLAY}/env`)?.toString('utf8');
    const entries = (
      overlay?.split('\n') ??
      this.files.binary('/proc/self/environ')?.toString('utf8').split('\0') ??
      []
    )
      .filter((line) => line.indexOf('=') > 0)
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
    return Object.fromEntries(entries) as Record<string, string>;
  }

  #json(name: string): Record<string, unknown> {
    const path = `${OVERLAY}/${name}`;
    const text = this.files.text(path);
    if (text === undefined) return {};
    try {
      const value = recordOf(JSON.parse(text));
      if (value !== undefined) return value;
    } catch {
      // told below
    }
    this.files.complain(path, 'is no JSON object');
    return {};
  }
}

const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const recordOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
const stringsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

/** What another program wrote: taken only where it has the right shape. */
export function readLiveFacts(value: Readonly<Record<string, unknown>>): LiveFacts {
  const answerOf = (given: unknown): EfaAnswer | undefined => {
    const answer = recordOf(given);
    if (answer === undefined) return undefined;
    const { domains, fabrics, error } = answer;
    return { domains: stringsOf(domains), fabrics: stringsOf(fabrics), error: stringOf(error) };
  };
  const instance = recordOf(value['instance']);
  const trafficOf = (given: unknown): TrafficResult[] | undefined =>
    Array.isArray(given)
      ? given.map(recordOf).map((result) => ({
          name: stringOf(result?.['name']) ?? '',
          works: result?.['works'] === true,
          message: stringOf(result?.['message']) ?? '',
          fix: stringsOf(result?.['fix']),
        }))
      : undefined;
  return {
    ...(instance === undefined
      ? {}
      : {
          instance: {
            type: stringOf(instance['type']),
            id: stringOf(instance['id']),
            error: stringOf(instance['error']),
          },
        }),
    libraryPath: stringOf(value['libraryPath']),
    libraryVersion: stringOf(value['libraryVersion']),
    efa: answerOf(value['efa']),
    hmem: answerOf(value['hmem']),
    first: stringOf(value['first']),
    mapped: stringsOf(value['mapped']),
    log: stringsOf(value['log']),
    loopback: trafficOf(value['loopback']),
    peer: trafficOf(value['peer']),
    notAsked: stringOf(value['notAsked']),
    failure: stringOf(value['failure']),
  };
}

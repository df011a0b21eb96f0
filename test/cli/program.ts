import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { getInfo } from 'node-libfabric';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/fabric-pingpong.js', import.meta.url));
const MARK = 'FABRIC_PINGPONG_TEST';

/** A load that is over at once. */
export const TINY = ['--sizes', '64,64k', '--iters', '50'];

/** A load that is never over. */
export const ENDLESS = ['--sizes', '64', '--iters', '5000000', '--warmup', '10'];

/** Where a program runs. */
export interface Surroundings {
  /** Whether it says what it does on stderr. */
  debug?: boolean;
  /** A command that runs the program in another environment. */
  wrapper?: readonly string[];
  /** What starts the program there. */
  command?: readonly string[];
  environment?: NodeJS.ProcessEnv;
}

/** The `fabric-pingpong` that users run: compiled, in a process of its own. */
export class Program {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #mark = randomUUID();
  readonly #seen = new Set<number>();
  readonly #closed: Promise<number | null>;

  constructor(
    args: readonly string[],
    { debug = false, wrapper = [], command = [process.execPath, PROGRAM], environment = {} }: Surroundings = {},
  ) {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not built: npm run build`);
    const [first, ...rest] = [...wrapper, ...command, ...args];
    this.child = spawn(first!, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, [MARK]: this.#mark, NODE_DEBUG: debug ? 'fabric-pingpong' : '', ...environment },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#closed = new Promise((resolve) => this.child.once('close', resolve));
  }

  /** Its exit code, once everything that it said has been read; null when a signal ended it. */
  get exitCode(): Promise<number | null> {
    return this.#closed;
  }

  /** What `--json` printed; fails unless it is exactly one object. */
  get json(): Record<string, unknown> {
    return JSON.parse(this.stdout) as Record<string, unknown>;
  }

  /** Waits until stderr has what the pattern wants. Fails when the program ends without. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const { exitCode, signalCode } = this.child;
      // wrapped lines are one sentence
      const match = pattern.exec(this.stderr.replace(/\s+/g, ' '));
      if (match) return match;
      if (exitCode !== null || signalCode !== null)
        throw new Error(`it ended without ${String(pattern)}: ${this.stderr}`);
      await Promise.race([delay(20), this.#closed]);
    }
  }

  /** Waits until a server listens; returns its port. */
  async port(): Promise<string> {
    return (await this.says(/listening on \S+ port (\d+)/))[1]!;
  }

  /** Waits until the timed part of a latency measurement runs; needs `debug`. */
  async measures(): Promise<void> {
    await this.says(/"phase":"latency".*"iteration":[1-9]\d{2,}/);
  }

  /** The processes that this one has started, itself not included, that are still there. */
  descendants(): number[] {
    const isOurs = (process: string): boolean => {
      try {
        return readFileSync(`/proc/${process}/environ`, 'latin1').includes(this.#mark);
      } catch {
        return false;
      }
    };
    const found = readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && isOurs(entry))
      .map(Number)
      .filter((process) => process !== this.child.pid);
    for (const process of found) this.#seen.add(process);
    return found;
  }

  /** For `afterEach`: nothing of it stays, whatever the test found. */
  async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.#closed;
    for (const process of this.descendants()) globalThis.process.kill(process, 'SIGKILL');
    // What was killed could not remove its shared memory, 16 MiB each.
    for (const file of readdirSync('/dev/shm')) {
      const owner = Number(/^(\d+):\d+:\d+$/.exec(file)?.[1]);
      if (owner === this.child.pid || this.#seen.has(owner)) rmSync(`/dev/shm/${file}`);
    }
  }
}

/** Programs of a test, ended after it. */
export class Programs {
  readonly #running: Program[] = [];

  start(args: readonly string[], options: Surroundings = {}): Program {
    const program = new Program(args, options);
    this.#running.push(program);
    return program;
  }

  async endAll(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((program) => program.end()));
  }
}

/** Whether this machine has reliable endpoints of a provider; says so where it has not. */
export function has(provider: string): boolean {
  const infos = getInfo({ epAttr: { type: 'FI_EP_RDM' }, fabricAttr: { provName: provider } });
  const isThere = infos.some((info) => info.fabricAttr.provName === provider);
  if (!isThere) console.log(`skipped: this machine has no ${provider}`);
  return isThere;
}

/** Programs of test/fixtures in processes of their own, never outliving the test that started them (`await using`). */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { within } from './within.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const alive = new Set<Child>();
// for a test that was given up before it could dispose of its children
afterAll(async () => {
  await Promise.all([...alive].map((child) => child[Symbol.asyncDispose]()));
});

export class Child implements AsyncDisposable {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #name: string;
  readonly #ended: Promise<Ended>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  #stdout = '';
  #stderr = '';

  /** @param hasMessages - Whether it is a Node.js that exchanges messages with this one: process.send(). */
  constructor(
    name: string,
    command: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
    hasMessages = false,
  ) {
    this.#name = name;
    this.process = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe', ...(hasMessages ? (['ipc'] as const) : [])],
      serialization: 'advanced',
    }) as ChildProcessWithoutNullStreams;
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    // writing to a child that has died: its exit tells more
    this.process.stdin.on('error', () => undefined);
    this.#reader = createInterface(this.process.stdout);
    this.#lines = this.#reader[Symbol.asyncIterator]();
    alive.add(this);
    this.#ended = new Promise((resolve, reject) => {
      this.process.on('error', reject);
      this.process.on('close', (code, signal) => {
        alive.delete(this);
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#ended;
  }

  /** How it ended, by itself. */
  async ended(milliseconds = 15_000): Promise<Ended> {
    return this.#watch(this.#ended, 'its end', milliseconds);
  }

  /** The next line of its stdout. */
  async line(milliseconds = 15_000): Promise<string> {
    const next = await this.#watch(this.#lines.next(), 'a line', milliseconds);
    if (next.done === true) throw new Error(`${this.#name} ended without the line that was expected:\n${this.#stderr}`);
    return next.value;
  }

  write(line: string): void {
    this.process.stdin.write(`${line}\n`);
  }

  async #watch<T>(promise: Promise<T>, what: string, milliseconds: number): Promise<T> {
    try {
      return await within(promise, `${this.#name}: ${what}`, milliseconds);
    } catch (error) {
      throw new Error(`${String(error)}\nstdout: ${this.#stdout}\nstderr: ${this.#stderr}`, { cause: error });
    }
  }
}

/** Starts test/fixtures/NAME.mjs. */
export function startNode(
  name: string,
  args: readonly string[] = [],
  {
    environment = {},
    flags = [],
    hasMessages = false,
  }: { environment?: NodeJS.ProcessEnv; flags?: readonly string[]; hasMessages?: boolean } = {},
): Child {
  const script = fileURLToPath(new URL(`../fixtures/${name}.mjs`, import.meta.url));
  return new Child(
    `${name} ${args.join(' ')}`,
    process.execPath,
    [...flags, script, ...args],
    environment,
    hasMessages,
  );
}

/** Starts a program that set-up compiled from test/peers. */
export function startPeer(name: string, args: readonly string[] = []): Child {
  return new Child(`${name} ${args.join(' ')}`, `${ROOT}build/peers/${name}`, args, {});
}

/** Whether the addon under test has sanitizers built in, which makes everything slower and larger. */
export const isSanitized = process.env['NODE_LIBFABRIC_ADDON']?.includes('asan') === true;

import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchError } from '../bench/index.js';

const PROGRAM = fileURLToPath(new URL('fabric-pingpong.js', import.meta.url));
const LAST_WORDS = 2000;
const PATIENCE_MILLISECONDS = 2000;

/** What the server process tells the one that forked it. */
export interface Listening {
  type: 'listening';
  port: number;
}

/** The other end of `local`: a real second process, on an ephemeral port of 127.0.0.1. */
export class LocalServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #stderr = '';

  /** Starts the process; `timeout` in milliseconds is that of every phase, `pin` the processor to keep it on. */
  constructor(timeout: number, pin: number | undefined) {
    const pinned = pin === undefined ? [] : ['--pin', String(pin)];
    const options = ['--bind', '127.0.0.1', '--port', '0', '--timeout', String(timeout / 1000), ...pinned];
    this.#child = fork(PROGRAM, ['serve', ...options], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-LAST_WORDS);
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => {
        resolve();
      });
      this.#child.once('error', () => {
        resolve();
      });
    });
  }

  /** Resolves with the port that it listens on. */
  async listening(timeout: number): Promise<number> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<number>((resolve, reject) => {
        const fail = (what: string): void => {
          const said = this.#stderr.trim();
          reject(new BenchError('PEER_LOST', `the server process ${what}${said && `: ${said}`}`));
        };
        this.#child.once('message', ({ port }: Listening) => {
          resolve(port);
        });
        this.#child.once('error', (error) => {
          fail(`could not be started: ${error.message}`);
        });
        // Not `exit`: by `close` everything that it said has been read.
        this.#child.once('close', (code, signal) => {
          fail(`ended early (${signal ?? code})`);
        });
        timer = setTimeout(() => {
          fail('did not listen in time');
        }, timeout);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Sees the process to its end. It ends by itself after its session, and when its channel to
   * this process closes, however this process ends; should it hang all the same, it is killed.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MILLISECONDS);
    await this.#exited;
    clearTimeout(timer);
  }
}

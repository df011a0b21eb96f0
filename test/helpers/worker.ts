/** Worker threads with an endpoint each (test/fixtures/worker-endpoint.mjs). */
import type { Info } from 'node-libfabric';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { within } from './within.js';

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: Error;
}

export class EndpointWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  readonly #exited: Promise<number>;
  #count = 0;

  constructor(info: Info) {
    // an Info travels as it is, except for what is not enumerable
    this.#worker = new Worker(new URL('../fixtures/worker-endpoint.mjs', import.meta.url), { workerData: { info } });
    this.#worker.on('message', ({ id, result, error }: Reply) => {
      const { resolve, reject } = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (error === undefined) resolve(result as never);
      else reject(error);
    });
    this.#exited = new Promise((resolve) => this.#worker.on('exit', resolve));
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    onTestFinished(() => this.terminate());
  }

  /** Has the worker do something. */
  async do<T = void>(command: string, ...args: readonly unknown[]): Promise<T> {
    const id = this.#count++;
    const reply = new Promise<T>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#worker.postMessage({ id, command, args });
    return await within(reply, `a worker's ${command}`, 20_000);
  }

  /** Ends the worker in the middle of whatever it does. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
    await within(this.#exited, "a worker's end");
  }

  get exitCode(): Promise<number> {
    return within(this.#exited, "a worker's end");
  }

  unref(): void {
    this.#worker.unref();
  }
}

/** Makes `from` know `to`. */
export async function introduce(from: EndpointWorker, to: EndpointWorker): Promise<number> {
  return from.do<number>('connect', await to.do<Uint8Array>('address'));
}

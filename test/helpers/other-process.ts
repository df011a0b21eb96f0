/** Functions of a test that run in a process of their own, next to a test that does the other half. */
import type { Endpoint, Hints, Info, Resource } from 'node-libfabric';
import { deserialize, serialize } from 'node:v8';
import { afterAll, expect, onTestFinished } from 'vitest';
import { startNode, type Child } from './child.js';
import { openEndpoint } from './pair.js';
import { infoOf } from './providers.js';

/** What such a function is given. Nothing else of the test is there, nor what the test imports. */
export interface Scope<Kept = object> {
  /** The package. */
  readonly fabric: typeof import('node-libfabric');
  /** What one function leaves for the next ones of the same test. */
  readonly kept: Kept;
  /** As that of providers.ts. */
  infoOf(provider: string, hints?: Hints): Info;
  /** Has a resource closed when the test has ended. */
  opened<T extends Pick<Resource, 'close'>>(resource: T): T;
  closeAll(): void;
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Waiter {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * test/fixtures/other-process.mjs, for the tests of a group: started by the first that needs it (loading libfabric takes
 * longer than such a test), again after it was killed, and expected to end by itself and without complaint.
 */
export class OtherProcess<Kept = object> {
  readonly #waiting = new Map<number, Waiter>();
  #child: Child | undefined;
  #calls = 0;

  constructor() {
    afterAll(() => this.#end());
  }

  /**
   * Calls `body` there. Functions start in the order in which they were given, and wait side by side. What they are given
   * and return is copied, as structuredClone() does.
   */
  run<A extends unknown[], R>(body: (scope: Scope<Kept>, ...args: A) => R, ...args: A): Promise<Awaited<R>> {
    this.#child ??= startNode('other-process');
    const id = this.#calls++;
    const reply = new Promise<Awaited<R>>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.write(serialize({ id, source: body.toString(), args }).toString('base64'));
    if (this.#waiting.size === 1) void this.#read(this.#child);
    return reply;
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    child?.process.kill('SIGKILL');
    await child?.ended();
  }

  async #read(child: Child): Promise<void> {
    try {
      while (this.#waiting.size > 0) {
        const line = Buffer.from(await child.line(), 'base64');
        const { id, result, error } = deserialize(line) as Reply;
        const { resolve, reject } = this.#waiting.get(id)!;
        this.#waiting.delete(id);
        if (error === undefined) resolve(result as never);
        else reject(Object.assign(new Error(error.message), error));
      }
    } catch (error) {
      if (this.#child === child) await this.kill();
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    }
  }

  async #end(): Promise<void> {
    if (this.#child === undefined) return;
    this.#child.process.stdin.end();
    const { code, signal, stderr } = await this.#child.ended();
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  }
}

/** An endpoint that knows its peer. */
export interface Acquainted {
  endpoint: Endpoint;
  toPeer: number;
}

/** Opens an endpoint here and one `there`, closed when the test has ended, which know each other. */
export async function acquaint(
  there: OtherProcess<Acquainted>,
  provider: string,
  hints?: Hints,
): Promise<Acquainted> {
  const endpoint = openEndpoint(infoOf(provider, hints));
  onTestFinished(() =>
    there.run(({ closeAll }) => {
      closeAll();
    }),
  );
  const address = await there.run(
    ({ fabric, infoOf, opened, kept }, name, wanted, peer) => {
      kept.endpoint = opened(fabric.Endpoint.open(infoOf(name, wanted)));
      kept.toPeer = kept.endpoint.addressVector.insert(peer);
      return kept.endpoint.address;
    },
    provider,
    hints,
    endpoint.address,
  );
  return { endpoint, toPeer: endpoint.addressVector.insert(address) };
}

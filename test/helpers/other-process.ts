/** Functions of a test that run in a process of their own, next to a test that does the other half. */
import * as fabric from 'node-libfabric';
import type { Endpoint, EndpointOpenOptions, Hints, Info, Resource } from 'node-libfabric';
import { afterAll, expect, onTestFinished } from 'vitest';
import { startNode, type Child } from './child.js';
import { openEndpoint } from './pair.js';
import { infoOf } from './providers.js';
import { within } from './within.js';

/** What such a function is given. Nothing else of the test is there, nor what the test imports. */
export interface Scope<Kept = object> {
  /** The package. */
  readonly fabric: typeof fabric;
  /** What one function leaves for the next ones of the same test. */
  readonly kept: Kept;
  /** As that of providers.ts. */
  readonly infoOf: (provider: string, hints?: Hints) => Info;
  /** Has a resource closed when the test has ended. */
  readonly opened: <T extends Pick<Resource, 'close'>>(resource: T) => T;
  readonly closeAll: () => void;
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
  #death: Error | undefined;

  constructor() {
    afterAll(() => this.#end());
  }

  /**
   * Calls `body` there. Functions start in the order in which they were given, and wait side by side. What they are given
   * and return is copied, as structuredClone() does.
   */
  run<A extends unknown[], R>(body: (scope: Scope<Kept>, ...args: A) => R, ...args: A): Promise<Awaited<R>> {
    this.#child ??= this.#start();
    const id = this.#calls++;
    const source = body.toString();
    const reply = new Promise<Awaited<R>>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.process.send({ id, source, args });
    return within(reply, `another process: ${source.slice(0, 200)}`, 15_000);
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    const child = this.#child;
    child?.process.kill('SIGKILL');
    await child?.ended();
    this.#death = undefined;
  }

  #start(): Child {
    const child = startNode('other-process', [], { hasMessages: true });
    child.process.on('message', ({ id, result, error }: Reply) => {
      const { resolve, reject } = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (error === undefined) resolve(result as never);
      else reject(Object.assign(new Error(error.message), error));
    });
    let complaint = '';
    child.process.stderr.on('data', (text: string) => (complaint += text));
    child.process.on('close', (code, signal) => {
      this.#child = undefined;
      this.#death = new Error(`the other process has ended: ${signal ?? code}\n${complaint}`);
      for (const { reject } of this.#waiting.values()) reject(this.#death);
      this.#waiting.clear();
    });
    return child;
  }

  async #end(): Promise<void> {
    // a test may have failed of what followed from it, without a word of the cause
    if (this.#death !== undefined) throw this.#death;
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

/** This process or another one: where functions of a test run. */
export interface Side<Kept = Acquainted> {
  run<A extends unknown[], R>(
    body: (scope: Pick<Scope<Kept>, 'fabric' | 'kept'>, ...args: A) => R,
    ...args: A
  ): Promise<Awaited<R>>;
}

/** This one. */
export class ThisProcess<Kept = Acquainted> implements Side<Kept> {
  readonly fabric = fabric;

  constructor(readonly kept: Kept) {}

  async run<A extends unknown[], R>(body: (scope: this, ...args: A) => R, ...args: A): Promise<Awaited<R>> {
    return await body(this, ...args);
  }
}

/** Opens an endpoint here and one `there`, closed when the test has ended, which know each other. */
export async function acquaint<Kept extends Acquainted>(
  there: OtherProcess<Kept>,
  provider: string,
  hints?: Hints,
  options?: EndpointOpenOptions,
): Promise<ThisProcess<Kept>> {
  const endpoint = openEndpoint(infoOf(provider, hints), options);
  onTestFinished(() =>
    there.run(({ closeAll }) => {
      closeAll();
    }),
  );
  const address = await there.run(
    ({ fabric, infoOf, opened, kept }, name, wanted, peer, rest) => {
      kept.endpoint = opened(fabric.Endpoint.open(infoOf(name, wanted), rest));
      kept.toPeer = kept.endpoint.addressVector.insert(peer);
      return kept.endpoint.address;
    },
    provider,
    hints,
    endpoint.address,
    options,
  );
  return new ThisProcess({ endpoint, toPeer: endpoint.addressVector.insert(address) } as Kept);
}

/** Each of two sides as the first of both. */
export const bothWays = <Kept>(
  one: Side<Kept>,
  other: Side<Kept>,
): readonly (readonly [from: Side<Kept>, to: Side<Kept>])[] => [
  [one, other],
  [other, one],
];

/** Has an endpoint look at what its peer has sent, for long enough to see all of it: for {@link OtherProcess.run}. */
export async function look({ fabric, kept }: Pick<Scope<{ endpoint: Endpoint }>, 'fabric' | 'kept'>): Promise<void> {
  for (let turn = 0; turn < 50; turn++) {
    kept.endpoint.completionQueue.read(new fabric.CompletionBatch(1), 1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

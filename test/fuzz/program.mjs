// @ts-nocheck: what it is for is calling with wrong types
/**
 * Random sequences of valid and invalid calls, made of what fast-check generates: node program.mjs SEED RUNS PROVIDER.
 *
 * Whatever is called with whatever, the process lives, each error is a typed one, and every promise is settled in the end.
 * Run by fuzz.test.ts, with and without sanitizers.
 */
import fc from 'fast-check';
import {
  AddressVector,
  CompletionBatch,
  CompletionQueue,
  Domain,
  Endpoint,
  Fabric,
  FabricError,
  getInfo,
  select,
} from 'node-libfabric';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { junk, makeBuffers } from './values.mjs';

const [seed, runs, provider = 'shm'] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const info = select({ require: provider }).info;
// libfabric 1.17's shm never returns from a message of more than 4 KiB that is longer than the receive it meets.
const largest = provider === 'shm' ? 4096 : 100_000;
// Closing warns when a provider keeps something; that is its business.
process.on('warning', () => undefined);

let calls = 0;

/** @param {unknown} error */
function checkError(error) {
  if (error instanceof FabricError || error instanceof TypeError || error instanceof RangeError) return;
  if (error instanceof DOMException && error.name === 'TimeoutError') return; // of our own signals
  throw new Error('an error that is not one of ours', { cause: error });
}

/** One sequence: objects by kind, and what is still to settle. */
class Sequence {
  /** @type {Map<string, any[]>} */
  #objects = new Map();
  /** @type {Set<Promise<unknown>>} */
  #pending = new Set();
  #buffers = makeBuffers(largest);
  /** @type {unknown[]} */
  #addresses = [];
  /** @type {unknown} */
  #unexpected;

  /**
   * @param {string} kind
   * @param {any} object
   */
  #keep(kind, object) {
    const list = this.#objects.get(kind) ?? [];
    list.push(object);
    if (list.length > 6) {
      const oldest = list.shift();
      // An endpoint may have promises pending, which must not wait for ever; anything else is left to the collector.
      if (kind === 'endpoint') oldest.close();
    }
    this.#objects.set(kind, list);
    return object;
  }

  /**
   * An object of a kind, now and then something else.
   * @param {string} kind
   * @param {number} choice
   */
  #any(kind, choice) {
    if (choice % 11 === 0) return junk[choice % junk.length];
    if (choice % 13 === 0) return [...this.#objects.values()].flat()[choice % 17];
    const list = this.#objects.get(kind) ?? [];
    return list.length === 0 ? undefined : list[choice % list.length];
  }

  /** @param {number} choice */
  #buffer(choice) {
    return choice % 19 === 0 ? junk[choice % junk.length] : this.#buffers[choice % this.#buffers.length];
  }

  /** @param {number} choice */
  #address(choice) {
    return choice % 7 === 0 ? junk[choice % junk.length] : choice % 3;
  }

  /** @param {number} choice */
  #tag(choice) {
    return choice % 23 === 0 ? junk[choice % junk.length] : BigInt(choice % 4);
  }

  /** @param {Promise<unknown>} promise */
  #track(promise) {
    const settled = Promise.resolve(promise)
      .catch(checkError)
      .catch((error) => (this.#unexpected ??= error))
      .finally(() => this.#pending.delete(settled));
    this.#pending.add(settled);
  }

  /**
   * @param {number} code
   * @param {number} a
   * @param {number} b
   * @param {number} c
   */
  async call(code, a, b, c) {
    const endpoint = () => this.#any('endpoint', a) ?? this.#keep('endpoint', Endpoint.open(info));
    const signal = c % 5 === 0 ? AbortSignal.timeout(c % 3) : undefined;
    const options = c % 29 === 0 ? junk[c % junk.length] : { signal };
    /** @type {(() => unknown)[]} */
    const actions = [
      () => this.#track(endpoint().send(this.#buffer(b), this.#address(c), options)),
      () => this.#track(endpoint().recv(this.#buffer(b), c % 3 === 0 ? this.#address(c) : undefined, options)),
      () => this.#track(endpoint().tsend(this.#buffer(b), this.#address(c), this.#tag(a), options)),
      () => this.#track(endpoint().trecv(this.#buffer(b), this.#tag(a), this.#tag(c), undefined, options)),
      () => this.#track(endpoint().inject(this.#buffer(b), this.#address(c))),
      () => endpoint().postSend(this.#buffer(b), this.#address(c), a),
      () => endpoint().postRecv(this.#buffer(b), this.#address(a + 1)),
      () => endpoint().postTsend(this.#buffer(b), this.#address(c), this.#tag(a), c),
      () => endpoint().postTrecv(this.#buffer(b), this.#tag(a), this.#tag(c), b),
      () => endpoint().postInject(this.#buffer(b), this.#address(c)),
      () => endpoint().completionQueue.read(this.#any('batch', b), c % 100),
      () => this.#any('queue', a)?.read(this.#any('batch', b), this.#address(c)),
      () => this.#addresses.push(Buffer.from(endpoint().address)),
      () => endpoint().addressVector.insert(this.#addresses[b % (this.#addresses.length + 1)]),
      () => this.#any('endpoint', a)?.addressVector.insert(this.#any('endpoint', b)?.address),
      () => endpoint().addressVector.remove(this.#address(b)),
      () => endpoint().addressVector.lookup(this.#address(b)),
      () => endpoint().addressVector.straddr(this.#addresses[b % (this.#addresses.length + 1)]),
      () => endpoint().ref().unref(),
      () => this.#any('endpoint', a)?.unref(),
      () => this.#any('endpoint', a)?.close(),
      () => this.#any(['fabric', 'domain', 'queue', 'vector', 'endpoint'][b % 5] ?? '', a)?.close(),
      () => this.#any('endpoint', a)?.[/** @type {any} */ (['fabric', 'domain', 'completionQueue'][b % 3])].close(),
      () => this.#keep('fabric', new Fabric(c % 9 === 0 ? this.#any('fabric', c) : info)),
      () => this.#keep('domain', new Domain(this.#any('fabric', a))),
      () => this.#keep('queue', new CompletionQueue(this.#any('domain', a), { size: b % 64 })),
      () =>
        this.#keep('queue', new CompletionQueue(this.#any('domain', a), /** @type {any} */ (junk[c % junk.length]))),
      () => this.#keep('vector', new AddressVector(this.#any('domain', a))),
      () =>
        this.#keep(
          'endpoint',
          new Endpoint(this.#any('domain', a), {
            completionQueue: this.#any('queue', b),
            addressVector: this.#any('vector', c),
          }),
        ),
      () => this.#keep('batch', new CompletionBatch(c % 8 === 0 ? this.#address(c) : (c % 16) + 1)),
      () => getInfo(/** @type {any} */ (junk[a % junk.length])),
      () => getInfo({ ...info, srcAddr: this.#addresses[a % 4], addrFormat: junk[b % junk.length] }),
      () => endpoint().completionQueue.strerror(this.#address(c)),
      () => this.#detach(b),
      () => globalThis.gc?.(),
      () => nextTurn(),
    ];
    try {
      calls++;
      await actions[code % actions.length]?.();
    } catch (error) {
      checkError(error);
    }
  }

  /** Takes the bytes of a buffer away, in flight or not. @param {number} choice */
  #detach(choice) {
    const { buffer } = this.#buffers[choice % this.#buffers.length] ?? {};
    if (!(buffer instanceof ArrayBuffer) || buffer === Buffer.from('').buffer) return;
    structuredClone(buffer, { transfer: [buffer] });
    this.#buffers = makeBuffers(largest);
  }

  async end() {
    for (const object of [...this.#objects.values()].flat()) object?.close?.();
    await Promise.all(this.#pending);
    if (this.#unexpected !== undefined) throw this.#unexpected;
  }
}

const number = fc.integer({ min: 0, max: 100_000 });
await fc.assert(
  fc.asyncProperty(
    fc.array(fc.tuple(number, number, number, number), { minLength: 50, maxLength: 400 }),
    async (list) => {
      const sequence = new Sequence();
      for (const [code, a, b, c] of list) await sequence.call(code, a, b, c);
      await sequence.end();
    },
  ),
  { seed, numRuns: runs, endOnFailure: true },
);
console.log(`${calls} calls`);

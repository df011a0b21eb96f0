// @ts-nocheck: see values.mjs
/** One sequence of calls: its objects by kind, and what is still to settle. */
import { Endpoint } from 'node-libfabric';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkError } from './errors.mjs';
import { junk, makeBuffers } from './values.mjs';

/** How many objects of a kind are at hand; an older one is left to the garbage collector. */
const AT_HAND = 6;
const DEADLINE_MILLISECONDS = 20_000;

/** In an order that depends on `seed`. */
function shuffled(list, seed) {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    const at = seed % (i + 1);
    [result[i], result[at]] = [result[at], result[i]];
  }
  return result;
}

export class Sequence {
  /** Interfaces: interfaces.mjs. */
  infos;
  /** Bytes of the largest message. */
  largest;
  /** Bytes of addresses that were seen. */
  addresses = [];
  /** What the call at hand waits for. */
  turning;
  #buffers;
  #objects = new Map();
  /** All that was opened, to be closed in the end. */
  #opened = [];
  #pending = new Map();
  #unexpected;

  constructor(infos, largest) {
    this.infos = infos;
    this.largest = largest;
    this.#buffers = makeBuffers(largest);
  }

  /** Has an object for later calls. */
  keep(kind, object) {
    const list = this.#objects.get(kind) ?? [];
    list.push(object);
    if (list.length > AT_HAND) list.shift();
    this.#objects.set(kind, list);
    if (typeof object?.close === 'function' || typeof object?.destroy === 'function') {
      this.#opened.push(new WeakRef(object));
    }
    return object;
  }

  /** Has what a promise gives. */
  keepLater(kind, promise) {
    this.track(
      promise.then((object) => this.keep(kind, object)),
      kind,
    );
  }

  /** An object of a kind; now and then something else, or nothing. */
  any(kind, choice) {
    if (choice % 41 === 0) return this.junk(choice);
    if (choice % 43 === 0) return this.anything(choice);
    const list = this.#objects.get(kind) ?? [];
    return list[choice % list.length];
  }

  /** An object of whatever kind. */
  anything(choice) {
    const all = [...this.#objects.values()].flat();
    return all[choice % all.length];
  }

  /** The objects of a kind. */
  all(kind) {
    return this.#objects.get(kind) ?? [];
  }

  /** An endpoint, opened when there is none, which knows its own address and those of others. */
  endpoint(choice) {
    return this.any('endpoint', choice) ?? this.openEndpoint();
  }

  /** Has the address of an endpoint of a kind; not of what listens, see actions/connections.mjs. */
  learn(kind, choice) {
    const list = this.all(kind);
    if (list.length > 0) this.addresses.push(list[choice % list.length].address);
  }

  openEndpoint() {
    const endpoint = this.keep('endpoint', Endpoint.open(this.infos.main));
    this.addresses.push(endpoint.address);
    for (const address of this.addresses.slice(-3)) this.attempt(() => endpoint.addressVector.insert(address));
    return endpoint;
  }

  junk = (choice) => junk[choice % junk.length];
  buffer = (choice) => (choice % 37 === 0 ? this.junk(choice) : this.#buffers[choice % this.#buffers.length]);
  /** Small ones: shm hangs in a message that is longer than the receive it meets and than 4 KiB. */
  buffers = (choice) =>
    choice % 31 === 0 ? this.junk(choice) : this.#buffers.slice(choice % 6, (choice % 6) + (choice % 5));
  address = (choice) => (choice % 17 === 0 ? this.junk(choice) : choice % 3);
  tag = (choice) => (choice % 29 === 0 ? this.junk(choice) : BigInt(choice % 4));
  context = (choice) => (choice % 23 === 0 ? this.junk(choice) : choice);
  addressBytes = (choice) =>
    choice % 19 === 0 ? this.junk(choice) : (this.addresses[choice % (this.addresses.length + 1)] ?? Buffer.alloc(16));

  /** None, one that fires soon, or one that has fired. */
  signal(choice) {
    if (choice % 5 === 0) return AbortSignal.timeout(choice % 3);
    return choice % 47 === 0 ? AbortSignal.abort() : undefined;
  }

  /** Options with a signal, and what else there may be. */
  options = (choice, more) => (choice % 53 === 0 ? this.junk(choice) : { signal: this.signal(choice), ...more });

  /** Lets the event loop turn. */
  turn = () => (this.turning = nextTurn());

  /** Takes the bytes of a buffer away, in flight or not. */
  detach(choice) {
    const { buffer } = this.#buffers[choice % this.#buffers.length] ?? {};
    if (!(buffer instanceof ArrayBuffer) || buffer === Buffer.from('').buffer) return;
    structuredClone(buffer, { transfer: [buffer] });
    this.#buffers = makeBuffers(this.largest);
  }

  /** Calls something that may fail. */
  attempt(call) {
    try {
      return call();
    } catch (error) {
      checkError(error);
    }
  }

  /** A promise that has to be settled by the end. */
  track(promise, what = this.step) {
    const settled = Promise.resolve(promise)
      .catch(checkError)
      .catch((error) => (this.#unexpected ??= error))
      .finally(() => this.#pending.delete(settled));
    this.#pending.set(settled, what);
  }

  /** Closes everything, in an order that depends on `choice`, and waits for every promise. */
  async end(choice) {
    const opened = this.#opened.map((reference) => reference.deref()).filter((object) => object !== undefined);
    // A region refuses while operations use it: twice, so that the close of their endpoint has ended them.
    for (const object of [...shuffled(opened, choice), ...opened]) this.attempt(() => this.#close(object));
    await this.#settled();
    // What came with the last promises.
    for (const reference of this.#opened) this.attempt(() => this.#close(reference.deref()));
    this.#objects.clear();
    if (this.#unexpected !== undefined) throw this.#unexpected;
  }

  #close(object) {
    if (object?.destroy) object.destroy();
    else object?.close?.();
  }

  async #settled() {
    let timer;
    const late = new Promise((_, reject) => {
      const fail = () => reject(new Error(`never settled: ${[...this.#pending.values()].join('; ')}`));
      timer = setTimeout(fail, DEADLINE_MILLISECONDS);
    });
    const all = async () => {
      while (this.#pending.size > 0) await Promise.all(this.#pending.keys());
    };
    await Promise.race([all(), late]);
    clearTimeout(timer);
  }
}

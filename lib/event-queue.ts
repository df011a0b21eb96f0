/** struct fid_eq: where connections, asynchronous completions and errors are reported. */
import { binding, type RawEvent } from './binding.js';
import { ERRORS } from './constants.js';
import { check, fabricError, show } from './errors.js';
import { EVENT_TYPES, type EventOwner, type FabricEvent } from './events.js';
import { EventWatch, type EventWatchClient } from './event-watch.js';
import { Fabric } from './fabric.js';
import { operationError } from './operation-error.js';
import { argumentHandle, handleOf, Resource } from './resource.js';

/** Options of an {@link EventQueue}. */
export interface EventQueueOptions {
  /** How many events it holds. @defaultValue 0: the provider's default */
  readonly size?: number;
  /** @internal Nobody has asked for it: it is there for errors, and looked at seldom. @defaultValue false */
  readonly forErrors?: boolean;
}

/** How many events are kept for a listener that does not come. */
const BUFFER_LIMIT = 256;
const TYPE_NAMES = new Map(Object.entries(EVENT_TYPES).map(([name, type]) => [type as number, name]));

/** Queues that somebody waits for: they stay reachable although nobody may hold them but a promise. */
const active = new Set<EventQueue>();

/**
 * A queue of events: fi_eq(3).
 *
 * Objects that are bound to it (a {@link PassiveEndpoint}, a {@link ConnectedEndpoint}) see their own events first. All
 * events can be read here as well: with {@link next}, or `for await (const event of eventQueue)`. The last 256 are kept
 * for whoever comes later; a connection request that is dropped then is rejected. An error that neither its object nor
 * anybody here has heard of becomes a process warning (`FabricWarning`).
 */
export class EventQueue extends Resource implements EventWatchClient, AsyncIterable<FabricEvent> {
  readonly fabric: Fabric;

  readonly #watch: EventWatch;
  readonly #owners = new Map<number, WeakRef<EventOwner>>();
  /** Who waits for an event, and whether that keeps the process alive. */
  readonly #expecting = new Map<object, boolean>();
  readonly #buffer: FabricEvent[] = [];
  readonly #waiting: ((event: FabricEvent | undefined) => void)[] = [];
  #hasListener = false;
  #hasFailed = false;
  #referenced = true;

  /** fi_eq_open(3). @throws FabricError when libfabric refuses. */
  constructor(fabric: Fabric, options: EventQueueOptions = {}) {
    const { size = 0, forErrors = false } = options;
    if (!Number.isInteger(size) || size < 0 || size >= 2 ** 32) {
      throw new RangeError(`options.size: expected an unsigned 32-bit integer, not ${show(size)}`);
    }
    const handle = openQueue(argumentHandle(fabric, Fabric, 'fabric'), size);
    super(check<number>(handle, 'fi_eq_open', 'cannot open an event queue'), binding.eventQueueClose, [fabric]);
    this.fabric = fabric;
    this.#watch = new EventWatch(handle, this, forErrors);
  }

  /** Whether the provider has a file descriptor to wait on. Without one, the queue is polled by a timer. */
  get hasDescriptor(): boolean {
    return binding.eventQueueDescriptor(handleOf(this)) >= 0;
  }

  /** Waiting for events keeps the process alive: the default. */
  ref(): this {
    this.#referenced = true;
    if (this.#waiting.length > 0) this.expect(this, true);
    return this;
  }

  /** Waiting for events ({@link next}, `for await`) no longer keeps the process alive. */
  unref(): this {
    this.#referenced = false;
    if (this.#waiting.length > 0) this.expect(this, false);
    return this;
  }

  /**
   * Reads the next event without waiting: fi_eq_read(3), fi_eq_readerr(3). Errors have the provider's
   * own words: fi_eq_strerror(3).
   *
   * @returns undefined when there is none.
   */
  read(): FabricEvent | undefined {
    handleOf(this);
    this.#hasListener = true;
    if (this.#buffer.length === 0) this.readEvents();
    return this.#buffer.shift();
  }

  /**
   * The next event.
   *
   * @throws the signal's reason when it fires, FabricError `FI_ECANCELED` when the queue is closed meanwhile.
   */
  async next(options: { readonly signal?: AbortSignal } = {}): Promise<FabricEvent> {
    handleOf(this);
    options.signal?.throwIfAborted();
    const event = await this.#take(options.signal);
    if (event !== undefined) return event;
    options.signal?.throwIfAborted();
    throw fabricError('no event will come', {
      errno: ERRORS.FI_ECANCELED,
      syscall: 'fi_eq_read',
      hint: 'The EventQueue was closed.',
    });
  }

  /** Every event until the queue is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FabricEvent, void> {
    for (let event = await this.#take(); event !== undefined; event = await this.#take()) yield event;
  }

  /** Inserts an event of type FI_NOTIFY: fi_eq_write(3). @throws FabricError where the provider has none of these. */
  write(value: bigint): void {
    if (typeof value !== 'bigint' || value < 0n || value >= 2n ** 64n) {
      throw new RangeError(`value: expected an unsigned 64-bit bigint, not ${show(value)}`);
    }
    const result = binding.eventQueueWrite(handleOf(this), value);
    check(result, 'fi_eq_write', 'cannot write an event');
    this.#watch.kick();
  }

  /** @internal Events with the handle of `owner` are its own. */
  own(handle: number, owner: EventOwner): void {
    this.#owners.set(handle, new WeakRef(owner));
  }

  /** @internal */
  disown(handle: number): void {
    this.#owners.delete(handle);
  }

  /** @internal `who` waits for an event: it stays reachable, and the process alive if it is `referenced`. */
  expect(who: object, referenced: boolean): void {
    this.#expecting.set(who, referenced);
    active.add(this);
    this.#updateReferenced();
    this.#watch.kick();
  }

  /** @internal It does not any more. */
  unexpect(who: object): void {
    if (!this.#expecting.delete(who)) return;
    if (this.#expecting.size === 0) active.delete(this);
    this.#updateReferenced();
  }

  /** @internal */
  get expecting(): boolean {
    return this.#expecting.size > 0;
  }

  /** @internal */
  readEvents(): number {
    let count = 0;
    while (!this.closed) {
      const raw = binding.eventQueueRead(handleOf(this));
      const event = typeof raw === 'number' ? this.#readError(raw) : this.#decode(raw);
      if (event === undefined) break;
      count++;
      this.#deliver(event);
    }
    return count;
  }

  /** @internal */
  override beforeClose(): void {
    this.#watch.close();
  }

  /** @internal */
  override afterClose(): void {
    this.#expecting.clear();
    active.delete(this);
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }

  #decode(raw: RawEvent): FabricEvent {
    const source = this.#owners.get(raw.source)?.deref();
    const { data = Buffer.alloc(0), value = 0n, context = 0n } = raw;
    if (raw.request !== undefined && source?.onRequest !== undefined) {
      return { type: 'FI_CONNREQ', source, request: source.onRequest(raw) };
    }
    const type = TYPE_NAMES.get(raw.type) as Exclude<FabricEvent['type'], 'FI_CONNREQ' | 'error'>;
    return type === 'FI_CONNECTED' || type === 'FI_SHUTDOWN'
      ? { type, source, data }
      : { type, source, value, context };
  }

  /** The error behind -FI_EAVAIL, or that of the queue itself; undefined when there is nothing to read. */
  #readError(result: number): FabricEvent | undefined {
    let raw = result === -ERRORS.FI_EAVAIL ? binding.eventQueueReadError(handleOf(this)) : result;
    if (raw === -ERRORS.FI_EAGAIN || this.#hasFailed) return undefined;
    if (typeof raw === 'number') {
      this.#hasFailed = true;
      raw = { source: -1, errno: -raw, providerErrno: 0, text: '', data: Buffer.alloc(0) };
    }
    const source = this.#sourceOf(raw.source);
    const name = source?.constructor.name ?? 'fabric';
    const { provName } = this.fabric.info.fabricAttr;
    // efa's queues have the texts of errno(3), whatever the number is of
    const message = provName === 'efa' ? this.#anyOwner?.strerror?.(raw.providerErrno) : raw.text;
    const provider = { name: provName, errno: raw.providerErrno, message: message ?? '' };
    const error = operationError(`an error of the ${name}`, { errno: raw.errno, syscall: 'fi_eq_readerr' }, provider);
    return { type: 'error', source, error, data: raw.data };
  }

  /** Not every provider says whose error it is: where there is one object only, it is that one's. */
  #sourceOf(handle: number): EventOwner | undefined {
    return this.#owners.get(handle)?.deref() ?? (this.#owners.size === 1 ? this.#anyOwner : undefined);
  }

  get #anyOwner(): EventOwner | undefined {
    return [...this.#owners.values()].map((owner) => owner.deref()).find((owner) => owner?.closed === false);
  }

  #deliver(event: FabricEvent): void {
    const isHandled = (event.source as EventOwner | undefined)?.onEvent(event) === true;
    const listener = this.#waiting.shift();
    if (this.#waiting.length === 0) this.unexpect(this);
    if (listener !== undefined) {
      listener(event);
      return;
    }
    if (event.type === 'error' && !isHandled && !this.#hasListener) process.emitWarning(event.error);
    this.#buffer.push(event);
    if (this.#buffer.length <= BUFFER_LIMIT) return;
    const dropped = this.#buffer.shift();
    if (dropped?.type === 'FI_CONNREQ') dropped.request.close();
  }

  #take(signal?: AbortSignal): Promise<FabricEvent | undefined> {
    this.#hasListener = true;
    const event = this.#buffer.shift();
    if (event !== undefined || this.closed) return Promise.resolve(event);
    return new Promise((resolve) => {
      const give = (given: FabricEvent | undefined): void => {
        signal?.removeEventListener('abort', abort);
        resolve(given);
      };
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(give), 1);
        if (this.#waiting.length === 0) this.unexpect(this);
        resolve(undefined);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(give);
      this.expect(this, this.#referenced);
    });
  }

  #updateReferenced(): void {
    if (!this.closed) this.#watch.setReferenced([...this.#expecting.values()].includes(true));
  }
}

/** With a descriptor and user events where the provider has them. */
function openQueue(fabric: number, size: number): number {
  let handle = -1;
  for (const [descriptor, writable] of [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ] as const) {
    handle = binding.eventQueueOpen(fabric, size, descriptor, writable);
    if (handle >= 0) break;
  }
  return handle;
}

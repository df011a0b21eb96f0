/** What every kind of operation of an endpoint shares: posting, flow control, cancelling, and the end of them all. */
import type { AddressVector } from './address-vector.js';
import { ANY_ADDRESS, binding } from './binding.js';
import { BlockedPosts } from './blocked-posts.js';
import type { CompletionQueue } from './completion-queue.js';
import { ERRORS } from './constants.js';
import type { Counter } from './counter.js';
import type { Domain } from './domain.js';
import { isErrorQueue } from './error-queue.js';
import type { EventQueue } from './event-queue.js';
import { check, fabricError, show, type FabricError } from './errors.js';
import type { Info } from './info.js';
import { locate, type Slice } from './memory.js';
import { PendingOperation, type Completion } from './operation.js';
import { handleOf, Resource } from './resource.js';

/** One buffer, or several that are sent or filled one after the other. */
export type Buffers = ArrayBufferView | readonly ArrayBufferView[];

/** Which C call an operation is, and what follows from that. */
export interface OperationKind {
  readonly syscall: string;
  /** Whether it waits for a peer to send: receives have a queue of their own when the provider is full. */
  readonly receives: boolean;
  readonly tagged: boolean;
}

/** What not every endpoint has. */
export interface EndpointExtras {
  readonly direction?: Direction;
  /** What it needs besides: it closes before them. */
  readonly parents?: readonly Resource[];
  readonly eventQueue?: EventQueue | undefined;
}

/** What an endpoint or context can do. */
export type Direction = 'both' | 'transmit' | 'receive';

const CONTEXT_LIMIT = 2 ** 32;
/** What a post returns when the provider is full. */
export const FULL = -ERRORS.FI_EAGAIN;
const CANCEL_GRACE_MILLISECONDS = 1000;

/** An endpoint without operations: the classes between this one and {@link Endpoint} add them, one family each. */
export abstract class EndpointBase extends Resource {
  readonly info: Info;
  readonly domain: Domain;
  readonly completionQueue: CompletionQueue;
  /** The peers that it can reach; connected endpoints have none. */
  readonly addressVector: AddressVector | undefined;
  /** Where its errors and, when it is connected, the events of its connection arrive; not every provider has one. */
  readonly eventQueue: EventQueue | undefined;

  /** @internal Where the buffer of the operation at hand is; reused, so that nothing is allocated. */
  readonly slice: Slice = { memory: -1, offset: 0, length: 0 };
  readonly #handle: number;
  readonly #direction: Direction;
  readonly #maxMessageSize: number;
  readonly #blockedSends: BlockedPosts;
  readonly #blockedReceives: BlockedPosts;
  readonly #triggers = new Set<Counter>();
  #outstanding = 0;
  #referenced = true;

  protected constructor(
    handle: number,
    info: Info,
    domain: Domain,
    completionQueue: CompletionQueue,
    addressVector: AddressVector | undefined,
    { direction = 'both', parents = [], eventQueue }: EndpointExtras = {},
  ) {
    const bound = [domain, completionQueue, addressVector, eventQueue, ...parents];
    super(
      handle,
      closeEndpoint,
      bound.filter((parent) => parent !== undefined),
    );
    this.#direction = direction;
    this.#handle = handle;
    this.info = info;
    this.domain = domain;
    this.completionQueue = completionQueue;
    this.addressVector = addressVector;
    this.eventQueue = eventQueue;
    this.#maxMessageSize = info.epAttr.maxMsgSize;
    const checkPost = this.checkPost.bind(this);
    this.#blockedSends = new BlockedPosts(this, checkPost);
    this.#blockedReceives = new BlockedPosts(this, checkPost);
  }

  /** This endpoint's address, for a peer's {@link AddressVector.insert}: fi_getname(3). A copy. */
  get address(): Buffer {
    return check<Buffer>(binding.endpointName(handleOf(this)), 'fi_getname', 'cannot get the address');
  }

  /** Operations outstanding keep the process alive: the default. */
  ref(): this {
    if (!this.#referenced) this.completionQueue.reference(this.#outstanding);
    this.#referenced = true;
    return this;
  }

  /** Operations outstanding no longer keep the process alive. */
  unref(): this {
    if (this.#referenced) this.completionQueue.reference(-this.#outstanding);
    this.#referenced = false;
    return this;
  }

  /** @internal */
  override beforeClose(): void {
    // What has completed is settled as it ended, and errors are told; then the provider lets go of the buffers.
    this.completionQueue.drain();
    if (this.eventQueue !== undefined && isErrorQueue(this.eventQueue)) this.eventQueue.readEvents();
    check(binding.endpointClose(this.#handle), 'fi_close', 'cannot close the Endpoint');
  }

  /** @internal */
  override afterClose(): void {
    this.#dropBlocked();
    // What the provider never completed was given up by closeEndpoint.
    this.completionQueue.drainWaiting();
    for (const counter of this.#triggers) counter.close();
  }

  /** @internal The counter triggers operations of this endpoint, and closes with it. */
  own(counter: Counter): void {
    this.#triggers.add(counter);
  }

  /** @internal */
  settled(): void {
    this.#outstanding--;
    if (this.#referenced) this.completionQueue.reference(-1);
  }

  /** @internal */
  retryBlocked(): void {
    if (this.closed) return;
    const sends = this.#blockedSends.retry();
    const receives = this.#blockedReceives.retry();
    if (!sends || !receives) this.completionQueue.block(this);
  }

  /** @internal */
  posted(operation: PendingOperation, slot: number): void {
    if (operation.isInjected) {
      this.settled();
      operation.succeed({ length: 0, flags: 0n });
    } else {
      this.completionQueue.track(slot, operation);
    }
  }

  /** @internal */
  dropped(operation: PendingOperation, error: unknown): void {
    operation.reject(error);
    operation.ended();
  }

  /**
   * @internal Posts an operation of the promise door, now or when the provider has room.
   *
   * @param buffers - What has to stay reachable until it is posted.
   * @param post - Posts it; a slot (0 for an injected one), or a negative libfabric code.
   */
  begin(
    kind: OperationKind,
    buffers: Buffers,
    post: () => number,
    signal?: AbortSignal,
    isInjected = false,
  ): Promise<Completion> {
    if (signal?.aborted === true) {
      this.checkDirection(kind.receives);
      return Promise.reject(signal.reason as Error);
    }
    const operation = new PendingOperation(this, kind.syscall, kind.tagged, isInjected);
    this.start(operation, kind.receives, buffers, post);
    if (signal !== undefined) this.#listen(operation, kind, signal);
    return operation.promise;
  }

  /**
   * @internal Whether an operation may be posted at once, without the closure that {@link begin} takes: it is not to be
   * aborted, and none of its kind waits for room.
   */
  isReady(kind: OperationKind, signal: AbortSignal | undefined): boolean {
    this.checkDirection(kind.receives);
    return signal?.aborted !== true && this.#blocked(kind.receives).isEmpty;
  }

  /** @internal The promise of an operation that was posted at once. @throws FabricError when it was refused. */
  begun(kind: OperationKind, slot: number, signal: AbortSignal | undefined): Promise<Completion> {
    this.checkPost(slot, kind.syscall);
    const operation = new PendingOperation(this, kind.syscall, kind.tagged, false);
    this.#started();
    this.completionQueue.track(slot, operation);
    if (signal !== undefined) this.#listen(operation, kind, signal);
    return operation.promise;
  }

  #listen(operation: PendingOperation, kind: OperationKind, signal: AbortSignal): void {
    operation.listen(signal, () => {
      this.cancel(operation, kind.receives);
    });
  }

  /** @internal Posts an operation, now or when the provider has room; see {@link begin}. */
  start(operation: PendingOperation, receives: boolean, buffers: Buffers, post: () => number): void {
    this.checkDirection(receives);
    const blocked = this.#blocked(receives);
    const slot = blocked.isEmpty ? post() : FULL;
    this.checkPost(slot, operation.syscall);
    this.#started();
    if (slot >= 0) {
      this.posted(operation, slot);
    } else {
      blocked.add({ operation, post, buffers });
      this.completionQueue.block(this);
    }
  }

  /** @internal @throws TypeError when this is a context of the other direction. */
  checkDirection(receives: boolean): void {
    if (this.#direction === 'both' || (this.#direction === 'receive') === receives) return;
    throw new TypeError(`this ${this.constructor.name} can only ${this.#direction}`);
  }

  /** @internal Says how a post of the batch door ended: false when the provider is full. */
  postedBatch(result: number, syscall: string): boolean {
    if (result >= 0) return true;
    this.checkPost(result, syscall);
    return false;
  }

  /** @internal @throws FabricError for a code other than "full". */
  checkPost(result: number, syscall: string): void {
    if (result >= 0 || result === FULL) return;
    this.completionQueue.checkUsable();
    const hint = -result === ERRORS.FI_EOPNOTSUPP ? this.#missingCapability(syscall) : undefined;
    throw fabricError(`cannot post a ${syscall.replace('fi_', '')}`, { errno: -result, syscall, hint });
  }

  #missingCapability(syscall: string): string | undefined {
    const capability = /^fi_t(send|recv|inject)/.test(syscall) ? 'FI_TAGGED' : 'FI_MSG';
    if (this.info.caps.includes(capability)) return undefined;
    return `The endpoint was not opened with ${capability}${this.#isDirect ? ', and efa-direct has none; the fabric efa does' : ''}.`;
  }

  /** @internal Finds the memory of one buffer. @throws RangeError for more than the provider sends at once. */
  locate(
    buffer: ArrayBufferView,
    name = 'buffer',
    limit = this.#maxMessageSize,
    limitName = 'epAttr.maxMsgSize',
  ): Slice {
    locate(buffer, name, this.slice);
    const { length } = this.slice;
    if (length > limit) this.#refuseLength(name, length, limit, limitName);
    return this.slice;
  }

  #refuseLength(name: string, length: number, limit: number, limitName: string): never {
    const hint = this.#isDirect ? '; efa-direct sends packets as they are, the fabric efa messages of any length' : '';
    throw new RangeError(`${name}: ${length} bytes are more than ${limitName} of ${limit}${hint}`);
  }

  /** Whether it is one of efa's that do no more than the device does, since libfabric 2.1. */
  get #isDirect(): boolean {
    return this.info.fabricAttr.name === 'efa-direct';
  }

  /** @internal Says whether it can send to a peer that needs no address. @throws FabricError when it cannot. */
  checkConnected(): void {
    this.checkDirection(false);
    throw new RangeError('address: expected what AddressVector.insert returned; the endpoint is not connected');
  }

  /**
   * @internal The memories of several buffers, as native vectors take them: memory, offset, length of each.
   *
   * @throws RangeError for more buffers or bytes than the provider takes at once.
   */
  segments(buffers: Buffers, name: string, iovLimit: number, byteLimit = this.#maxMessageSize): number[] {
    const list = ArrayBuffer.isView(buffers) ? [buffers] : buffers;
    if (!Array.isArray(list) || list.length === 0) {
      throw new TypeError(
        `${name}: expected an ArrayBufferView such as a Buffer or Uint8Array, or an array of them, not ${show(buffers)}`,
      );
    }
    if (list.length > iovLimit) {
      throw new RangeError(
        `${name}: ${list.length} buffers are more than the provider's limit of ${iovLimit} (iovLimit)`,
      );
    }
    let total = 0;
    const segments = list.flatMap((buffer: ArrayBufferView, index) => {
      locate(buffer, `${name}[${index}]`, this.slice);
      const { memory, offset, length } = this.slice;
      total += length;
      return [memory, offset, length];
    });
    if (total > byteLimit) this.#refuseLength(name, total, byteLimit, 'epAttr.maxMsgSize');
    return segments;
  }

  /** @internal A connected endpoint has one destination; any other needs to be told. */
  destination(address: number): number {
    if (this.addressVector === undefined) {
      checkAddress(address, ANY_ADDRESS);
      this.checkConnected();
    } else {
      checkAddress(address);
    }
    return address;
  }

  /**
   * @internal Cancels everything that is outstanding. Most providers flush what a connection leaves behind when it ends;
   * sockets does not.
   *
   * @param reason - What its promises reject with, instead of `FI_ECANCELED`.
   */
  cancelAll(reason?: FabricError): void {
    this.completionQueue.drain();
    this.#dropBlocked(reason);
    for (const operation of this.completionQueue.operationsOf(this)) {
      operation.cancelledFor(reason);
      this.cancel(operation, true);
    }
  }

  #dropBlocked(reason?: FabricError): void {
    for (const operation of [...this.#blockedSends.clear(), ...this.#blockedReceives.clear()]) {
      operation.cancelledFor(reason);
      operation.fail(ERRORS.FI_ECANCELED);
      operation.ended();
    }
  }

  #blocked(receives: boolean): BlockedPosts {
    return receives ? this.#blockedReceives : this.#blockedSends;
  }

  #started(): void {
    this.#outstanding++;
    if (this.#referenced) this.completionQueue.reference(1);
  }

  /** @internal Ends an operation early: fi_cancel(3). */
  cancel(operation: PendingOperation, receives: boolean): void {
    if (this.#blocked(receives).remove(operation)) {
      operation.fail(ERRORS.FI_ECANCELED);
      operation.ended();
      return;
    }
    const slot = this.completionQueue.slotOf(operation);
    if (slot < 0 || this.closed) return;
    binding.endpointCancel(this.#handle, slot);
    // Its completion, cancelled or not, comes through the queue. Not every provider can cancel everything, and some
    // operations never complete (a send to a peer that has died): nobody waits for those longer than this.
    setTimeout(() => {
      if (this.completionQueue.slotOf(operation) !== slot) return;
      this.completionQueue.forget(slot);
      operation.fail(ERRORS.FI_ECANCELED);
    }, CANCEL_GRACE_MILLISECONDS).unref();
  }
}

/** fi_close(3) in both its halves: see native/endpoint.cc. */
function closeEndpoint(handle: number): number {
  const closed = binding.endpointClose(handle);
  return closed < 0 ? closed : binding.endpointFree(handle);
}

/** An index of an address vector, or ANY_ADDRESS where that is allowed. */
export function checkAddress(address: number, lowest = 0): void {
  if (!Number.isInteger(address) || address < lowest || address >= 2 ** 31) {
    throw new RangeError(`address: expected what AddressVector.insert returned, not ${show(address)}`);
  }
}

/** The context of a batch-door operation. */
export function checkContext(context: number): void {
  if (!(Number.isInteger(context) && context >= 0 && context < CONTEXT_LIMIT)) {
    throw new RangeError(`context: expected an unsigned 32-bit integer, not ${show(context)}`);
  }
}

/** An unsigned 64-bit value. */
export function checkUint64<T extends bigint | number>(value: T, name: string): T {
  const fits = typeof value === 'bigint' ? value >= 0n && value < 2n ** 64n : Number.isSafeInteger(value) && value >= 0;
  if (!fits) throw new RangeError(`${name}: expected an unsigned 64-bit integer, not ${show(value)}`);
  return value;
}

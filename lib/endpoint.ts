/** struct fid_ep: where messages are sent and received. */
import { AddressVector } from './address-vector.js';
import { BlockedPosts, type BlockedPost } from './blocked-posts.js';
import { ANY_ADDRESS, binding, PROMISE_DOOR } from './binding.js';
import { CompletionQueue, type CompletionQueueOptions } from './completion-queue.js';
import { ERRORS, MODES } from './constants.js';
import { Domain } from './domain.js';
import { check, fabricError, show } from './errors.js';
import { Fabric } from './fabric.js';
import { encodeInfo, type Info } from './info.js';
import { locate, type Slice } from './memory.js';
import { PendingOperation, type Completion, type OperationOptions } from './operation.js';
import { argumentHandle, handleOf, Resource } from './resource.js';

type Post = typeof binding.endpointSend;

/** Options of {@link Endpoint.open}. */
export type EndpointOpenOptions = Pick<CompletionQueueOptions, 'progress'>;

/** What an endpoint is bound to. */
export interface EndpointBindings {
  readonly completionQueue: CompletionQueue;
  readonly addressVector: AddressVector;
}

// What this package does by itself; every other mode bit asks something of the application that it does not offer.
const SUPPORTED_MODES = MODES.FI_CONTEXT | MODES.FI_CONTEXT2;
const CONTEXT_LIMIT = 2 ** 32;
const FULL = -ERRORS.FI_EAGAIN;
const CANCEL_GRACE_MILLISECONDS = 1000;

/**
 * A connectionless endpoint: fi_endpoint(3), fi_msg(3), fi_tagged(3).
 *
 * Buffers are any view of a fixed ArrayBuffer or SharedArrayBuffer. They belong to libfabric from the post until the
 * promise is settled (or the completion was read): do not write to what is being sent, nor read what is being received.
 *
 * Every operation has two doors. The promise door (`send`, `recv` …) is for programs. The batch door (`postSend`,
 * `postRecv` …) takes a number as context, allocates nothing, and delivers to {@link CompletionQueue.read}.
 */
export class Endpoint extends Resource {
  readonly info: Info;
  readonly domain: Domain;
  readonly completionQueue: CompletionQueue;
  readonly addressVector: AddressVector;

  readonly #handle: number;
  readonly #maxMessageSize: number;
  readonly #injectSize: number;
  readonly #tagLimit: bigint;
  /** rxd takes more injected messages than it has room for, and loses them: they are sent, where somebody counts. */
  readonly #losesInjected: boolean;
  readonly #slice: Slice = { memory: -1, offset: 0, length: 0 };
  readonly #blockedSends: BlockedPosts;
  readonly #blockedReceives: BlockedPosts;
  #ownsSet = false;
  #outstanding = 0;
  #referenced = true;

  /**
   * fi_endpoint(3), fi_ep_bind(3), fi_enable(3): ready to use.
   *
   * @throws FabricError when libfabric refuses, TypeError for objects of another domain.
   */
  constructor(domain: Domain, bindings: EndpointBindings, info?: Info) {
    const domainHandle = argumentHandle(domain, Domain, 'domain');
    const { completionQueue, addressVector } = bindings;
    const queueHandle = argumentHandle(completionQueue, CompletionQueue, 'bindings.completionQueue');
    const avHandle = argumentHandle(addressVector, AddressVector, 'bindings.addressVector');
    for (const [name, bound] of Object.entries({ completionQueue, addressVector })) {
      if (bound.domain !== domain) throw new TypeError(`bindings.${name}: belongs to another domain`);
    }
    const wanted = info ?? domain.info;
    const raw = encodeInfo(wanted, 'info');
    checkUsable(wanted, (raw['mode'] as bigint | undefined) ?? 0n);
    const doing = `cannot open an endpoint of provider ${wanted.fabricAttr.provName ?? ''}`;
    const handle = check<number>(binding.endpointOpen(domainHandle, raw), 'fi_endpoint', doing);
    super(handle, closeEndpoint, [domain, completionQueue, addressVector]);
    this.#handle = handle;
    this.info = wanted;
    this.domain = domain;
    this.completionQueue = completionQueue;
    this.addressVector = addressVector;
    this.#maxMessageSize = wanted.epAttr.maxMsgSize;
    this.#injectSize = wanted.txAttr.injectSize;
    this.#losesInjected = wanted.fabricAttr.provName?.endsWith(';ofi_rxd') === true;
    this.#tagLimit = tagLimit(wanted.epAttr.memTagFormat);
    const checkPost = this.#checkPost.bind(this);
    this.#blockedSends = new BlockedPosts(this, checkPost);
    this.#blockedReceives = new BlockedPosts(this, checkPost);
    try {
      check(binding.endpointBindQueue(handle, queueHandle), 'fi_ep_bind', doing);
      check(binding.endpointBindAddressVector(handle, avHandle), 'fi_ep_bind', doing);
      check(binding.endpointEnable(handle), 'fi_enable', doing);
    } catch (error) {
      super.close();
      throw error;
    }
  }

  /**
   * Opens the usual set in one line: fabric, domain, completion queue, address vector and endpoint. Closing the endpoint
   * closes them all.
   *
   * @param info - From {@link getInfo} or {@link select}.
   */
  static open(info: Info, options: EndpointOpenOptions = {}): Endpoint {
    const fabric = new Fabric(info);
    try {
      const domain = new Domain(fabric);
      const endpoint = new Endpoint(domain, {
        completionQueue: new CompletionQueue(domain, { ...options, size: queueSize(info) }),
        addressVector: new AddressVector(domain),
      });
      endpoint.#ownsSet = true;
      return endpoint;
    } catch (error) {
      fabric.close();
      throw error;
    }
  }

  /** The fabric that the domain was opened from. */
  get fabric(): Fabric {
    return this.domain.fabric;
  }

  /** This endpoint's address, for a peer's {@link AddressVector.insert}: fi_getname(3). A copy. */
  get address(): Buffer {
    return check<Buffer>(binding.endpointName(handleOf(this)), 'fi_getname', 'cannot get the address');
  }

  /**
   * Sends a message: fi_send(3).
   *
   * @param buffer - Untouched until the promise is settled.
   * @param address - What {@link AddressVector.insert} returned.
   * @throws TypeError or RangeError for arguments that cannot be, FabricError when the provider refuses the post.
   */
  send(buffer: ArrayBufferView, address: number, options?: OperationOptions): Promise<Completion> {
    return this.#begin(binding.endpointSend, 'fi_send', buffer, address, 0, 0, options);
  }

  /**
   * Receives a message: fi_recv(3).
   *
   * @param buffer - Filled from its start; `length` of the completion says how far.
   * @param address - From whom, where the provider has FI_DIRECTED_RECV; by default from anyone.
   * @throws as {@link send}; rejects with `FI_ETRUNC` for a message longer than the buffer.
   */
  recv(buffer: ArrayBufferView, address = ANY_ADDRESS, options?: OperationOptions): Promise<Completion> {
    return this.#begin(binding.endpointRecv, 'fi_recv', buffer, address, 0, 0, options);
  }

  /** Sends a tagged message: fi_tsend(3). @param tag - An unsigned 64-bit value. */
  tsend(buffer: ArrayBufferView, address: number, tag: bigint, options?: OperationOptions): Promise<Completion> {
    return this.#begin(binding.endpointTsend, 'fi_tsend', buffer, address, this.#checkTag(tag, 'tag'), 0, options);
  }

  /**
   * Receives a tagged message: fi_trecv(3).
   *
   * @param tag - An unsigned 64-bit value that the message's tag has to equal …
   * @param ignore - … except for the bits that are set here.
   */
  trecv(
    buffer: ArrayBufferView,
    tag: bigint,
    ignore = 0n,
    address = ANY_ADDRESS,
    options?: OperationOptions,
  ): Promise<Completion> {
    this.#checkTag(tag, 'tag');
    return this.#begin(binding.endpointTrecv, 'fi_trecv', buffer, address, tag, checkIgnored(ignore), options);
  }

  /**
   * Sends a small message (up to `info.txAttr.injectSize` bytes) without waiting for its completion: fi_inject(3). The
   * promise resolves when the provider has taken a copy, at once unless it is full. What goes wrong later is not reported.
   */
  inject(buffer: ArrayBufferView, address: number): Promise<void> {
    this.#locateInjected(buffer, address);
    if (this.#losesInjected) {
      const copy = Buffer.from(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
      return this.send(copy, address).then(() => undefined);
    }
    const { memory, offset, length } = this.#slice;
    const handle = handleOf(this);
    const post = (): number => binding.endpointInject(handle, memory, offset, length, address, PROMISE_DOOR);
    const result = this.#blockedSends.isEmpty ? post() : FULL;
    if (result === 0) return Promise.resolve();
    this.#checkPost(result, 'fi_inject');
    const operation = new PendingOperation(this, 'fi_inject', false);
    this.#block(this.#blockedSends, { operation, post, buffer });
    return operation.promise.then(() => undefined);
  }

  /**
   * Posts a send through the batch door.
   *
   * @param context - An unsigned 32-bit integer, handed back in the batch.
   * @returns false when the provider is full (-FI_EAGAIN): read completions, then post again.
   */
  postSend(buffer: ArrayBufferView, address: number, context: number): boolean {
    checkAddress(address, 0);
    return this.#post(binding.endpointSend, 'fi_send', buffer, address, context, 0, 0);
  }

  /** Posts a receive through the batch door; see {@link postSend}. */
  postRecv(buffer: ArrayBufferView, context: number, address = ANY_ADDRESS): boolean {
    checkAddress(address, ANY_ADDRESS);
    return this.#post(binding.endpointRecv, 'fi_recv', buffer, address, context, 0, 0);
  }

  /** Posts a tagged send through the batch door; see {@link postSend}. @param tag - A safe integer, or a bigint. */
  postTsend(buffer: ArrayBufferView, address: number, tag: number | bigint, context: number): boolean {
    checkAddress(address, 0);
    return this.#post(binding.endpointTsend, 'fi_tsend', buffer, address, context, this.#checkTag(tag, 'tag'), 0);
  }

  /** Posts a tagged receive through the batch door; see {@link postSend}. */
  postTrecv(
    buffer: ArrayBufferView,
    tag: number | bigint,
    ignore: number | bigint,
    context: number,
    address = ANY_ADDRESS,
  ): boolean {
    checkAddress(address, ANY_ADDRESS);
    this.#checkTag(tag, 'tag');
    checkIgnored(ignore);
    return this.#post(binding.endpointTrecv, 'fi_trecv', buffer, address, context, tag, ignore);
  }

  /**
   * Sends a small message (up to `info.txAttr.injectSize` bytes) through the batch door; see {@link inject}. There is no
   * completion: the buffer is free again on return.
   *
   * @returns false when the provider is full (-FI_EAGAIN).
   */
  postInject(buffer: ArrayBufferView, address: number): boolean {
    this.#locateInjected(buffer, address);
    const { memory, offset, length } = this.#slice;
    const result = binding.endpointInject(handleOf(this), memory, offset, length, address, PROMISE_DOOR);
    if (result === 0) return true;
    this.#checkPost(result, 'fi_inject');
    return false;
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

  /** Closes the endpoint (fi_close(3)), and the set of {@link Endpoint.open}. What was in flight rejects with `FI_ECANCELED`. */
  override close(): void {
    super.close();
    if (this.#ownsSet) this.fabric.close();
  }

  /** @internal */
  override beforeClose(): void {
    // What has completed is settled as it ended; then the provider lets go of the buffers.
    this.completionQueue.drain();
    check(binding.endpointClose(this.#handle), 'fi_close', 'cannot close the Endpoint');
  }

  /** @internal */
  override afterClose(): void {
    for (const operation of [...this.#blockedSends.clear(), ...this.#blockedReceives.clear()]) {
      this.settled();
      operation.fail(ERRORS.FI_ECANCELED);
    }
    // What the provider never completed was given up by closeEndpoint.
    this.completionQueue.drainWaiting();
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
    if (operation.syscall === 'fi_inject') {
      this.settled();
      operation.succeed({ length: 0, flags: 0n });
    } else {
      this.completionQueue.track(slot, operation);
    }
  }

  /** @internal */
  dropped(operation: PendingOperation, error: unknown): void {
    this.settled();
    operation.reject(error);
  }

  #begin(
    call: Post,
    syscall: string,
    buffer: ArrayBufferView,
    address: number,
    tag: bigint | number,
    ignore: bigint | number,
    options: OperationOptions | undefined,
  ): Promise<Completion> {
    const receives = call === binding.endpointRecv || call === binding.endpointTrecv;
    checkAddress(address, receives ? ANY_ADDRESS : 0);
    const slice = this.#slice;
    locate(buffer, 'buffer', slice);
    if (slice.length > this.#maxMessageSize && !receives) throw this.#tooLong(slice.length);
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const blocked = receives ? this.#blockedReceives : this.#blockedSends;
    const { memory, offset, length } = slice;
    const handle = handleOf(this);
    const slot = blocked.isEmpty ? call(handle, memory, offset, length, address, PROMISE_DOOR, tag, ignore) : FULL;
    this.#checkPost(slot, syscall);
    const operation = new PendingOperation(
      this,
      syscall,
      call === binding.endpointTsend || call === binding.endpointTrecv,
    );
    if (slot >= 0) {
      this.#started();
      this.completionQueue.track(slot, operation);
    } else {
      const post = (): number => call(handle, memory, offset, length, address, PROMISE_DOOR, tag, ignore);
      this.#block(blocked, { operation, post, buffer });
    }
    if (signal !== undefined) {
      operation.listen(signal, () => {
        this.#cancel(operation, blocked);
      });
    }
    return operation.promise;
  }

  #post(
    call: Post,
    syscall: string,
    buffer: ArrayBufferView,
    address: number,
    context: number,
    tag: bigint | number,
    ignore: bigint | number,
  ): boolean {
    if (!(Number.isInteger(context) && context >= 0 && context < CONTEXT_LIMIT)) {
      throw new RangeError(`context: expected an unsigned 32-bit integer, not ${show(context)}`);
    }
    const slice = this.#slice;
    locate(buffer, 'buffer', slice);
    const slot = call(handleOf(this), slice.memory, slice.offset, slice.length, address, context, tag, ignore);
    if (slot >= 0) return true;
    this.#checkPost(slot, syscall);
    return false;
  }

  /** @throws FabricError for a code other than "full". */
  #checkPost(result: number, syscall: string): void {
    if (result >= 0 || result === FULL) return;
    this.completionQueue.checkUsable();
    if (this.#slice.length > this.#maxMessageSize) throw this.#tooLong(this.#slice.length);
    throw fabricError(`cannot post a ${syscall.replace('fi_', '')}`, { errno: -result, syscall });
  }

  #tooLong(length: number): RangeError {
    return new RangeError(`buffer: ${length} bytes are more than epAttr.maxMsgSize of ${this.#maxMessageSize}`);
  }

  #checkTag<T extends number | bigint>(tag: T, name: string): T {
    const isInteger = typeof tag === 'bigint' || Number.isSafeInteger(tag);
    if (isInteger && tag >= 0 && tag < this.#tagLimit) return tag;
    throw new RangeError(
      `${name}: expected an unsigned integer below ${this.#tagLimit} (epAttr.memTagFormat), not ${show(tag)}`,
    );
  }

  #locateInjected(buffer: ArrayBufferView, address: number): void {
    locate(buffer, 'buffer', this.#slice);
    if (this.#slice.length > this.#injectSize) {
      throw new RangeError(
        `buffer: ${this.#slice.length} bytes are more than txAttr.injectSize of ${this.#injectSize}`,
      );
    }
    checkAddress(address, 0);
  }

  #started(): void {
    this.#outstanding++;
    if (this.#referenced) this.completionQueue.reference(1);
  }

  #block(blocked: BlockedPosts, post: BlockedPost): void {
    blocked.add(post);
    this.#started();
    this.completionQueue.block(this);
  }

  #cancel(operation: PendingOperation, blocked: BlockedPosts): void {
    if (blocked.remove(operation)) {
      this.settled();
      operation.fail(ERRORS.FI_ECANCELED);
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

/** fi_close(3) in its second half: see native/endpoint.cc. */
function closeEndpoint(handle: number): number {
  const closed = binding.endpointClose(handle);
  return closed < 0 ? closed : binding.endpointFree(handle);
}

function checkUsable(info: Info, mode: bigint): void {
  if (info.epAttr.type !== 'FI_EP_RDM') {
    throw new TypeError(`info.epAttr.type: expected 'FI_EP_RDM', not ${show(info.epAttr.type)}`);
  }
  const unsupported = Object.entries(MODES).filter(([, bit]) => (mode & bit & ~SUPPORTED_MODES) !== 0n);
  if (unsupported.length > 0) {
    const names = unsupported.map(([name]) => name).join(', ');
    throw new TypeError(
      `info.mode: provider ${info.fabricAttr.provName ?? ''} wants ${names}, which is not supported; ` +
        "ask getInfo for mode ['FI_CONTEXT', 'FI_CONTEXT2'] only",
    );
  }
}

/** Room for a completion of every operation that the endpoint can have outstanding. */
function queueSize(info: Info): number {
  return Math.min(info.txAttr.size + info.rxAttr.size, 1 << 16);
}

function checkAddress(address: number, lowest: number): void {
  if (!Number.isInteger(address) || address < lowest || address >= 2 ** 31) {
    throw new RangeError(`address: expected what AddressVector.insert returned, not ${show(address)}`);
  }
}

/** Bits of a tag that do not matter. More of them than a tag has are no mistake: all ones is the idiom for "any". */
function checkIgnored<T extends number | bigint>(ignore: T): T {
  const isInteger = typeof ignore === 'bigint' || Number.isSafeInteger(ignore);
  if (isInteger && ignore >= 0 && ignore < 2n ** 64n) return ignore;
  throw new RangeError(`ignore: expected an unsigned 64-bit integer, not ${show(ignore)}`);
}

/** What every tag is below: providers carry the bits up to the highest that their memTagFormat has. */
function tagLimit(memTagFormat: string): bigint {
  const format = BigInt(memTagFormat);
  return 1n << BigInt(format === 0n ? 64 : format.toString(2).length);
}

/** fi_msg(3) and fi_tagged(3): messages, through both doors. */
import { ANY_ADDRESS, binding, FIRST_GROUP_ADDRESS, MESSAGE_KINDS, PROMISE_DOOR } from './binding.js';
import {
  checkAddress,
  checkContext,
  checkUint64,
  EndpointBase,
  FULL,
  type Buffers,
  type OperationKind,
} from './endpoint-base.js';
import { ERRORS, OPERATION_FLAGS } from './constants.js';
import { ENDPOINT_OPTIONS } from './endpoint-options.js';
import { fabricError, show } from './errors.js';
import type { Slice } from './memory.js';
import { MultiReceive, type MultiReceiveOptions } from './multi-receive.js';
import type { Completion, PendingOperation } from './operation.js';
import { immediateData, operationFlags, type FlaggedOptions, type SendOptions } from './operation-options.js';
import { PostBatch } from './post-batch.js';
import { handleOf } from './resource.js';
import { rawTrigger, signalOf } from './trigger.js';
import { checkTrusted } from './untrusted-flags.js';

/** Constants of their own, which V8 calls without a look at the many properties of the binding. */
const { endpointSend, endpointRecv, endpointTsend, endpointTrecv, endpointInject } = binding;

interface MessageKind extends OperationKind {
  readonly name: keyof typeof MESSAGE_KINDS;
}

const SEND: MessageKind = { name: 'send', syscall: 'fi_send', receives: false, tagged: false };
const RECV: MessageKind = { name: 'recv', syscall: 'fi_recv', receives: true, tagged: false };
const TSEND: MessageKind = { name: 'tsend', syscall: 'fi_tsend', receives: false, tagged: true };
const TRECV: MessageKind = { name: 'trecv', syscall: 'fi_trecv', receives: true, tagged: true };
const MULTI_RECEIVE_FLAGS = OPERATION_FLAGS.FI_MULTI_RECV | OPERATION_FLAGS.FI_COMPLETION;
const INJECT: OperationKind = { syscall: 'fi_inject', receives: false, tagged: false };
const TINJECT: OperationKind = { syscall: 'fi_tinject', receives: false, tagged: true };

/** One message of one buffer. The function that is called is a constant in each case, as V8 likes it best. */
function post(
  kind: MessageKind,
  endpoint: number,
  { memory, offset, length }: Readonly<Slice>,
  address: number,
  context: number,
  tag: bigint | number,
  ignore: bigint | number,
): number {
  switch (kind) {
    case SEND:
      return endpointSend(endpoint, memory, offset, length, address, context);
    case RECV:
      return endpointRecv(endpoint, memory, offset, length, address, context);
    case TSEND:
      return endpointTsend(endpoint, memory, offset, length, address, context, tag);
    default:
      return endpointTrecv(endpoint, memory, offset, length, address, context, tag, ignore);
  }
}

/** What every tag is below: providers carry the bits up to the highest that their memTagFormat has. */
function tagLimit(memTagFormat: string): bigint {
  const format = BigInt(memTagFormat);
  return 1n << BigInt(format === 0n ? 64 : format.toString(2).length);
}

/** An endpoint that sends and receives messages. */
export abstract class MessageEndpoint extends EndpointBase {
  readonly #tagLimit = tagLimit(this.info.epAttr.memTagFormat);
  /** Whether the provider wants bytes of its own in front of each message, which take one buffer of every vector. */
  readonly #hasPrefix = this.info.mode.includes('FI_MSG_PREFIX');
  /** rxd takes more injected messages than it has room for, and loses them: they are sent, where somebody counts. */
  readonly #losesInjected = this.info.fabricAttr.provName?.endsWith(';ofi_rxd') === true;

  /**
   * Sends a message: fi_send(3), fi_sendv(3), fi_senddata(3), fi_sendmsg(3).
   *
   * @param buffer - One buffer, or several that become one message. Untouched until the promise is settled.
   * @param address - What {@link AddressVector.insert} returned; left out for a connected endpoint.
   * @throws TypeError or RangeError for arguments that cannot be, FabricError when the provider refuses the post.
   */
  send(buffer: Buffers, address = ANY_ADDRESS, options?: SendOptions): Promise<Completion> {
    return this.#begin(SEND, buffer, this.destination(address), 0n, 0n, options);
  }

  /**
   * Receives a message: fi_recv(3), fi_recvv(3), fi_recvmsg(3).
   *
   * @param buffer - Filled from the start; `length` of the completion says how far.
   * @param address - From whom, where the endpoint has FI_DIRECTED_RECV; by default from anyone.
   * @throws as {@link send}; rejects with `FI_ETRUNC` for a message longer than the buffers.
   */
  recv(buffer: Buffers, address = ANY_ADDRESS, options?: FlaggedOptions): Promise<Completion> {
    checkAddress(address, ANY_ADDRESS);
    return this.#begin(RECV, buffer, address, 0n, 0n, options);
  }

  /**
   * Sends a tagged message: fi_tsend(3), fi_tsendv(3), fi_tsenddata(3), fi_tsendmsg(3).
   *
   * @param tag - As many bits as `epAttr.memTagFormat` has.
   */
  tsend(buffer: Buffers, address: number, tag: bigint, options?: SendOptions): Promise<Completion> {
    return this.#begin(TSEND, buffer, this.destination(address), this.#checkTag(tag, 'tag'), 0n, options);
  }

  /**
   * Receives a tagged message: fi_trecv(3), fi_trecvv(3), fi_trecvmsg(3). With the flag FI_PEEK it only looks whether a
   * message is there: rejects with `FI_ENOMSG` when none is. FI_PEEK with FI_DISCARD throws the message away; with FI_CLAIM
   * it keeps the message for a receive with FI_CLAIM (and FI_DISCARD) alone, which takes the first that was claimed and has
   * such a tag.
   *
   * @param tag - What the message's tag has to equal …
   * @param ignore - … except for the bits that are set here.
   */
  trecv(
    buffer: Buffers,
    tag: bigint,
    ignore = 0n,
    address = ANY_ADDRESS,
    options?: FlaggedOptions,
  ): Promise<Completion> {
    checkAddress(address, ANY_ADDRESS);
    return this.#begin(TRECV, buffer, address, this.#checkTag(tag, 'tag'), checkUint64(ignore, 'ignore'), options);
  }

  /**
   * Sends a small message (up to `info.txAttr.injectSize` bytes) without waiting for its completion: fi_inject(3),
   * fi_injectdata(3). The promise resolves when the provider has taken a copy, at once unless it is full. What goes wrong
   * later is not reported.
   */
  inject(buffer: ArrayBufferView, address = ANY_ADDRESS, options?: Pick<SendOptions, 'data'>): Promise<void> {
    return this.#inject(INJECT, buffer, this.destination(address), undefined, options?.data);
  }

  /** {@link inject} for a tagged message: fi_tinject(3), fi_tinjectdata(3). */
  tinject(buffer: ArrayBufferView, address: number, tag: bigint, options?: Pick<SendOptions, 'data'>): Promise<void> {
    return this.#inject(TINJECT, buffer, this.destination(address), this.#checkTag(tag, 'tag'), options?.data);
  }

  /**
   * Posts a send through the batch door.
   *
   * @param context - An unsigned 32-bit integer, handed back in the batch.
   * @param batch - Only writes the operation down there, for {@link CompletionQueue.read} to post.
   * @returns false when the provider is full (-FI_EAGAIN): read completions, then post again.
   */
  postSend(buffer: ArrayBufferView, address: number, context: number, batch?: PostBatch): boolean {
    return this.#post(SEND, buffer, this.destination(address), context, 0, 0, batch);
  }

  /** Posts a receive through the batch door; see {@link postSend}. */
  postRecv(buffer: ArrayBufferView, context: number, address = ANY_ADDRESS, batch?: PostBatch): boolean {
    checkAddress(address, ANY_ADDRESS);
    return this.#post(RECV, buffer, address, context, 0, 0, batch);
  }

  /** Posts a tagged send through the batch door; see {@link postSend}. @param tag - A safe integer, or a bigint. */
  postTsend(
    buffer: ArrayBufferView,
    address: number,
    tag: number | bigint,
    context: number,
    batch?: PostBatch,
  ): boolean {
    return this.#post(TSEND, buffer, this.destination(address), context, this.#checkTag(tag, 'tag'), 0, batch);
  }

  /** Posts a tagged receive through the batch door; see {@link postSend}. */
  postTrecv(
    buffer: ArrayBufferView,
    tag: number | bigint,
    ignore: number | bigint,
    context: number,
    address = ANY_ADDRESS,
    batch?: PostBatch,
  ): boolean {
    checkAddress(address, ANY_ADDRESS);
    const bits = checkUint64(ignore, 'ignore');
    return this.#post(TRECV, buffer, address, context, this.#checkTag(tag, 'tag'), bits, batch);
  }

  /**
   * Sends a small message (up to `info.txAttr.injectSize` bytes) through the batch door; see {@link inject}. There is no
   * completion: the buffer is free again once it is posted.
   *
   * @returns false when the provider is full (-FI_EAGAIN).
   */
  postInject(buffer: ArrayBufferView, address: number, batch?: PostBatch): boolean {
    this.checkDirection(false);
    const slice = this.#locateInjected(buffer);
    const { memory, offset, length } = slice;
    const destination = this.destination(address);
    if (batch !== undefined) {
      PostBatch.add(batch, 'inject', handleOf(this), buffer, slice, destination, 0);
      return true;
    }
    const result = endpointInject(handleOf(this), memory, offset, length, destination, PROMISE_DOOR);
    return this.postedBatch(result, 'fi_inject');
  }

  /**
   * Posts a buffer that receives many messages through the batch door, one after the other, until less than the
   * endpoint's FI_OPT_MIN_MULTI_RECV is left: FI_MULTI_RECV of fi_msg(3). Each message is a completion with `offset`, the
   * position in the buffer's ArrayBuffer, and `length`. The one whose flags have FI_MULTI_RECV is the last: the buffer is
   * released with it.
   */
  postMultiRecv(buffer: ArrayBufferView, context: number): boolean {
    checkContext(context);
    checkTrusted(this.info, MULTI_RECEIVE_FLAGS, 'fi_recvmsg');
    this.checkDirection(true);
    const result = this.#postRoom(this.segments(buffer, 'buffer', 1, Infinity), context);
    return this.postedBatch(result, 'fi_recvmsg');
  }

  /**
   * Receives many messages into a few large buffers, as an async iterable of slices: FI_MULTI_RECV of fi_msg(3). What was
   * taken from it has to be released, for its buffer to receive again:
   *
   * ```js
   * for await (const message of endpoint.multiReceive({ byteLength: 1 << 20 })) {
   *   handle(message.bytes);
   *   message.release();
   * }
   * ```
   *
   * @throws RangeError for sizes that cannot be, FabricError when the provider refuses.
   */
  multiReceive(options: MultiReceiveOptions = {}): MultiReceive {
    checkTrusted(this.info, MULTI_RECEIVE_FLAGS, 'fi_recvmsg');
    const post = (buffer: Uint8Array, operation: PendingOperation): void => {
      const segments = this.segments(buffer, 'buffer', 1, Infinity);
      this.start(operation, true, buffer, () => this.#postRoom(segments, PROMISE_DOOR));
    };
    return new MultiReceive(this, options, post, (operation) => {
      this.cancel(operation, true);
    });
  }

  /** Posts a multi-receive buffer. @throws FabricError for one that is too short: efa refuses it without a word. */
  #postRoom(segments: number[], context: number): number {
    const handle = handleOf(this);
    const kind = MESSAGE_KINDS.recv;
    const flags = MULTI_RECEIVE_FLAGS;
    const result = binding.endpointMessage(handle, kind, context, segments, ANY_ADDRESS, 0n, 0n, 0n, flags);
    if (result !== -ERRORS.FI_EINVAL) return result;
    const least = binding.endpointGetOption(handle, ENDPOINT_OPTIONS.FI_OPT_MIN_MULTI_RECV, 8);
    throw fabricError('cannot post a multi-receive buffer', {
      errno: ERRORS.FI_EINVAL,
      syscall: 'fi_recvmsg',
      hint: `It has ${segments[2]!} bytes, and the endpoint's FI_OPT_MIN_MULTI_RECV is ${least}: setOption() changes that.`,
    });
  }

  #begin(
    kind: MessageKind,
    buffer: Buffers,
    address: number,
    tag: bigint,
    ignore: bigint,
    options: SendOptions | undefined,
  ): Promise<Completion> {
    const handle = handleOf(this);
    const { flags: named, data: given, trigger } = options ?? {};
    const isPlain =
      named === undefined && given === undefined && trigger === undefined && address < FIRST_GROUP_ADDRESS;
    if (ArrayBuffer.isView(buffer) && isPlain) {
      const slice = kind.receives ? this.locate(buffer, 'buffer', Infinity) : this.locate(buffer);
      const signal = options?.signal;
      if (this.isReady(kind, signal)) {
        const slot = post(kind, handle, slice, address, PROMISE_DOOR, tag, ignore);
        if (slot !== FULL) return this.begun(kind, slot, signal);
      }
      const located = { ...slice };
      const postLater = (): number => post(kind, handle, located, address, PROMISE_DOOR, tag, ignore);
      return this.begin(kind, buffer, postLater, signal);
    }
    const { txAttr, rxAttr } = this.info;
    const reserved = this.#hasPrefix ? 1 : 0;
    const segments = kind.receives
      ? this.segments(buffer, 'buffer', rxAttr.iovLimit - reserved, Infinity)
      : this.segments(buffer, 'buffer', txAttr.iovLimit - reserved);
    const flags = operationFlags(options);
    checkTrusted(this.info, flags, kind.syscall);
    const data = immediateData(given, this.info);
    if ((flags & OPERATION_FLAGS.FI_MULTI_RECV) !== 0n) {
      throw new TypeError('options.flags: FI_MULTI_RECV completes many times; take multiReceive() or postMultiRecv()');
    }
    const when = rawTrigger(trigger, this);
    const postMessage = (): number =>
      binding.endpointMessage(
        handle,
        MESSAGE_KINDS[kind.name],
        PROMISE_DOOR,
        segments,
        address,
        tag,
        ignore,
        data,
        flags,
        ...when,
      );
    return this.begin(kind, buffer, postMessage, signalOf(options ?? {}));
  }

  #inject(
    kind: OperationKind,
    buffer: ArrayBufferView,
    address: number,
    tag: bigint | undefined,
    data: bigint | undefined,
  ): Promise<void> {
    const { memory, offset, length } = this.#locateInjected(buffer);
    if (this.#losesInjected) {
      const copy = Buffer.from(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
      const sent = this.#begin(kind.tagged ? TSEND : SEND, copy, address, tag ?? 0n, 0n, { data });
      return sent.then(() => undefined);
    }
    immediateData(data, this.info);
    const handle = handleOf(this);
    const isPlain = tag === undefined && data === undefined;
    const post = (): number =>
      isPlain
        ? endpointInject(handle, memory, offset, length, address, PROMISE_DOOR)
        : binding.endpointInjectMessage(handle, memory, offset, length, address, tag, data);
    return this.begin(kind, buffer, post, undefined, true).then(() => undefined);
  }

  #post(
    kind: MessageKind,
    buffer: ArrayBufferView,
    address: number,
    context: number,
    tag: bigint | number,
    ignore: bigint | number,
    batch: PostBatch | undefined,
  ): boolean {
    checkContext(context);
    this.checkDirection(kind.receives);
    const slice = kind.receives ? this.locate(buffer, 'buffer', Infinity) : this.locate(buffer);
    if (batch !== undefined) {
      PostBatch.add(batch, kind.name, handleOf(this), buffer, slice, address, context, tag, ignore);
      return true;
    }
    const slot = post(kind, handleOf(this), slice, address, context, tag, ignore);
    return this.postedBatch(slot, kind.syscall);
  }

  #locateInjected(buffer: ArrayBufferView): Slice {
    return this.locate(buffer, 'buffer', this.info.txAttr.injectSize, 'txAttr.injectSize');
  }

  #checkTag<T extends number | bigint>(tag: T, name: string): T {
    const isInteger = typeof tag === 'bigint' || Number.isSafeInteger(tag);
    if (isInteger && tag >= 0 && tag < this.#tagLimit) return tag;
    throw new RangeError(
      `${name}: expected an unsigned integer below ${this.#tagLimit} (epAttr.memTagFormat), not ${show(tag)}`,
    );
  }
}

/** fi_msg(3) and fi_tagged(3): messages, through both doors. */
import { ANY_ADDRESS, binding, FIRST_GROUP_ADDRESS, MESSAGE_KINDS, PROMISE_DOOR } from './binding.js';
import {
  checkAddress,
  checkContext,
  checkUint64,
  EndpointBase,
  operationFlags,
  type Buffers,
  type FlaggedOptions,
  type OperationKind,
  type SendOptions,
} from './endpoint-base.js';
import { ERRORS, OPERATION_FLAGS } from './constants.js';
import { fabricError, show } from './errors.js';
import type { Completion } from './operation.js';
import { handleOf } from './resource.js';

type Post = typeof binding.endpointSend;

interface MessageKind extends OperationKind {
  readonly call: Post;
  /** The general form of the same operation, by number. */
  readonly general: number;
}

const SEND = kind('fi_send', binding.endpointSend, MESSAGE_KINDS.send, { receives: false, tagged: false });
const RECV = kind('fi_recv', binding.endpointRecv, MESSAGE_KINDS.recv, { receives: true, tagged: false });
const TSEND = kind('fi_tsend', binding.endpointTsend, MESSAGE_KINDS.tsend, { receives: false, tagged: true });
const TRECV = kind('fi_trecv', binding.endpointTrecv, MESSAGE_KINDS.trecv, { receives: true, tagged: true });
const INJECT: OperationKind = { syscall: 'fi_inject', receives: false, tagged: false };
const TINJECT: OperationKind = { syscall: 'fi_tinject', receives: false, tagged: true };

function kind(
  syscall: string,
  call: Post,
  general: number,
  properties: Pick<OperationKind, 'receives' | 'tagged'>,
): MessageKind {
  return { syscall, call, general, ...properties };
}

/** What every tag is below: providers carry the bits up to the highest that their memTagFormat has. */
function tagLimit(memTagFormat: string): bigint {
  const format = BigInt(memTagFormat);
  return 1n << BigInt(format === 0n ? 64 : format.toString(2).length);
}

/** An endpoint that sends and receives messages. */
export abstract class MessageEndpoint extends EndpointBase {
  readonly #tagLimit = tagLimit(this.info.epAttr.memTagFormat);
  /** rxd takes more injected messages than it has room for, and loses them: they are sent, where somebody counts. */
  readonly #losesInjected = this.info.fabricAttr.provName?.endsWith(';ofi_rxd') === true;

  /**
   * Sends a message: fi_send(3), fi_sendv(3), fi_senddata(3), fi_sendmsg(3).
   *
   * @param buffers - One buffer, or several that become one message. Untouched until the promise is settled.
   * @param address - What {@link AddressVector.insert} returned; left out for a connected endpoint.
   * @throws TypeError or RangeError for arguments that cannot be, FabricError when the provider refuses the post.
   */
  send(buffers: Buffers, address = ANY_ADDRESS, options?: SendOptions): Promise<Completion> {
    return this.#begin(SEND, buffers, this.destination(address), 0n, 0n, options);
  }

  /**
   * Receives a message: fi_recv(3), fi_recvv(3), fi_recvmsg(3).
   *
   * @param buffers - Filled from the start; `length` of the completion says how far.
   * @param address - From whom, where the endpoint has FI_DIRECTED_RECV; by default from anyone.
   * @throws as {@link send}; rejects with `FI_ETRUNC` for a message longer than the buffers.
   */
  recv(buffers: Buffers, address = ANY_ADDRESS, options?: FlaggedOptions): Promise<Completion> {
    checkAddress(address, ANY_ADDRESS);
    return this.#begin(RECV, buffers, address, 0n, 0n, options);
  }

  /**
   * Sends a tagged message: fi_tsend(3), fi_tsendv(3), fi_tsenddata(3), fi_tsendmsg(3).
   *
   * @param tag - As many bits as `epAttr.memTagFormat` has.
   */
  tsend(buffers: Buffers, address: number, tag: bigint, options?: SendOptions): Promise<Completion> {
    return this.#begin(TSEND, buffers, this.destination(address), this.#checkTag(tag, 'tag'), 0n, options);
  }

  /**
   * Receives a tagged message: fi_trecv(3), fi_trecvv(3), fi_trecvmsg(3). With the flag FI_PEEK it only looks whether a
   * message is there (`FI_ENOMSG` when none is), and with FI_DISCARD as well it throws it away. FI_CLAIM is refused.
   *
   * @param tag - What the message's tag has to equal …
   * @param ignore - … except for the bits that are set here.
   */
  trecv(
    buffers: Buffers,
    tag: bigint,
    ignore = 0n,
    address = ANY_ADDRESS,
    options?: FlaggedOptions,
  ): Promise<Completion> {
    checkAddress(address, ANY_ADDRESS);
    return this.#begin(TRECV, buffers, address, this.#checkTag(tag, 'tag'), checkUint64(ignore, 'ignore'), options);
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
   * @returns false when the provider is full (-FI_EAGAIN): read completions, then post again.
   */
  postSend(buffer: ArrayBufferView, address: number, context: number): boolean {
    return this.#post(SEND, buffer, this.destination(address), context, 0, 0);
  }

  /** Posts a receive through the batch door; see {@link postSend}. */
  postRecv(buffer: ArrayBufferView, context: number, address = ANY_ADDRESS): boolean {
    checkAddress(address, ANY_ADDRESS);
    return this.#post(RECV, buffer, address, context, 0, 0);
  }

  /** Posts a tagged send through the batch door; see {@link postSend}. @param tag - A safe integer, or a bigint. */
  postTsend(buffer: ArrayBufferView, address: number, tag: number | bigint, context: number): boolean {
    return this.#post(TSEND, buffer, this.destination(address), context, this.#checkTag(tag, 'tag'), 0);
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
    return this.#post(TRECV, buffer, address, context, this.#checkTag(tag, 'tag'), checkUint64(ignore, 'ignore'));
  }

  /**
   * Sends a small message (up to `info.txAttr.injectSize` bytes) through the batch door; see {@link inject}. There is no
   * completion: the buffer is free again on return.
   *
   * @returns false when the provider is full (-FI_EAGAIN).
   */
  postInject(buffer: ArrayBufferView, address: number): boolean {
    this.checkDirection(false);
    const { memory, offset, length } = this.#locateInjected(buffer);
    const destination = this.destination(address);
    const result = binding.endpointInject(handleOf(this), memory, offset, length, destination, PROMISE_DOOR);
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
    this.#checkMultiRecv();
    this.checkDirection(true);
    const segments = this.segments(buffer, 'buffer', 1);
    const flags = operationFlags({ flags: ['FI_MULTI_RECV', 'FI_COMPLETION'] });
    const result = binding.endpointMessage(
      handleOf(this),
      MESSAGE_KINDS.recv,
      context,
      segments,
      ANY_ADDRESS,
      0n,
      0n,
      0n,
      flags,
    );
    return this.postedBatch(result, 'fi_recvmsg');
  }

  #begin(
    kind: MessageKind,
    buffers: Buffers,
    address: number,
    tag: bigint,
    ignore: bigint,
    options: SendOptions | undefined,
  ): Promise<Completion> {
    const handle = handleOf(this);
    const isPlain = options?.flags === undefined && options?.data === undefined && address < FIRST_GROUP_ADDRESS;
    if (ArrayBuffer.isView(buffers) && isPlain) {
      const { memory, offset, length } = kind.receives
        ? this.locate(buffers, 'buffer', Infinity)
        : this.locate(buffers);
      const { call } = kind;
      const post = (): number => call(handle, memory, offset, length, address, PROMISE_DOOR, tag, ignore);
      return this.begin(kind, buffers, post, options?.signal);
    }
    const { txAttr, rxAttr } = this.info;
    const segments = this.segments(buffers, 'buffers', kind.receives ? rxAttr.iovLimit : txAttr.iovLimit);
    const flags = operationFlags(options);
    const data = checkUint64(options?.data, 'options.data') ?? 0n;
    if ((flags & OPERATION_FLAGS.FI_MULTI_RECV) !== 0n) this.#checkMultiRecv();
    const post = (): number =>
      binding.endpointMessage(handle, kind.general, PROMISE_DOOR, segments, address, tag, ignore, data, flags);
    return this.begin(kind, buffers, post, options?.signal);
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
    checkUint64(data, 'options.data');
    const handle = handleOf(this);
    const isPlain = tag === undefined && data === undefined;
    const post = (): number =>
      isPlain
        ? binding.endpointInject(handle, memory, offset, length, address, PROMISE_DOOR)
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
  ): boolean {
    checkContext(context);
    this.checkDirection(kind.receives);
    const { memory, offset, length } = kind.receives ? this.locate(buffer, 'buffer', Infinity) : this.locate(buffer);
    const slot = kind.call(handleOf(this), memory, offset, length, address, context, tag, ignore);
    return this.postedBatch(slot, kind.syscall);
  }

  #locateInjected(buffer: ArrayBufferView): { memory: number; offset: number; length: number } {
    return this.locate(buffer, 'buffer', this.info.txAttr.injectSize, 'txAttr.injectSize');
  }

  /**
   * rxd, sockets (libfabric 1.17) and shm (up to 2.6) write past the end of a multi-receive buffer when the next message does not
   * fit any more.
   */
  #checkMultiRecv(): void {
    const { provName = '' } = this.info.fabricAttr;
    if (!provName.endsWith(';ofi_rxd') && !['shm', 'sockets'].includes(provName)) return;
    const hint = 'It writes past the end of such buffers.';
    throw fabricError(`${provName} is not trusted with FI_MULTI_RECV`, {
      errno: ERRORS.FI_EOPNOTSUPP,
      syscall: 'fi_recvmsg',
      hint,
    });
  }

  #checkTag<T extends number | bigint>(tag: T, name: string): T {
    const isInteger = typeof tag === 'bigint' || Number.isSafeInteger(tag);
    if (isInteger && tag >= 0 && tag < this.#tagLimit) return tag;
    throw new RangeError(
      `${name}: expected an unsigned integer below ${this.#tagLimit} (epAttr.memTagFormat), not ${show(tag)}`,
    );
  }
}

/** fi_rma(3): reading and writing a peer's memory, through both doors. */
import { binding, PROMISE_DOOR } from './binding.js';
import { ERRORS } from './constants.js';
import { checkContext, type Buffers, type OperationKind } from './endpoint-base.js';
import { immediateData, operationFlags, type FlaggedOptions, type SendOptions } from './operation-options.js';
import { MessageEndpoint } from './endpoint-messages.js';
import { fabricError, show } from './errors.js';
import type { Completion } from './operation.js';
import { PostBatch } from './post-batch.js';
import { RemoteRegion } from './remote-region.js';
import { handleOf } from './resource.js';
import { rawTrigger, signalOf } from './trigger.js';
import { checkTrusted } from './untrusted-flags.js';

/** Where in a region an operation begins. */
export interface RemoteOffset {
  /** In bytes from the start of the remote region. @defaultValue 0 */
  readonly remoteOffset?: number | undefined;
}

/** Options of a read. */
export interface ReadOptions extends FlaggedOptions, RemoteOffset {}

/** Options of a write; its immediate data arrives at the peer's {@link CompletionQueue.remoteWrite}. */
export interface WriteOptions extends SendOptions, RemoteOffset {}

interface RmaKind extends OperationKind {
  readonly name: 'read' | 'write';
  readonly call: typeof binding.endpointRead;
  readonly isWrite: boolean;
}

const READ: RmaKind = {
  name: 'read',
  syscall: 'fi_read',
  receives: false,
  tagged: false,
  call: binding.endpointRead,
  isWrite: false,
};
const WRITE: RmaKind = { ...READ, name: 'write', syscall: 'fi_write', call: binding.endpointWrite, isWrite: true };
const INJECT: OperationKind = { syscall: 'fi_inject_write', receives: false, tagged: false };

/** An endpoint that reads and writes memory of its peers. */
export abstract class RmaEndpoint extends MessageEndpoint {
  readonly #hasRma = this.info.caps.includes('FI_RMA');

  /**
   * Reads from a peer's memory: fi_read(3), fi_readv(3), fi_readmsg(3).
   *
   * @param buffer - Filled one after the other; how much is read is how much they hold.
   * @param address - What {@link AddressVector.insert} returned.
   * @param remote - What the peer's {@link MemoryRegion.remote} gave.
   * @throws RangeError beyond the remote region; rejects with what the provider says of a key that is unknown, or gives no
   * permission.
   */
  read(buffer: Buffers, address: number, remote: RemoteRegion, options?: ReadOptions): Promise<Completion> {
    return this.#begin(READ, buffer, address, remote, options);
  }

  /** Writes to a peer's memory: fi_write(3), fi_writev(3), fi_writedata(3), fi_writemsg(3). See {@link read}. */
  write(buffer: Buffers, address: number, remote: RemoteRegion, options?: WriteOptions): Promise<Completion> {
    return this.#begin(WRITE, buffer, address, remote, options);
  }

  /**
   * Writes up to `info.txAttr.injectSize` bytes without waiting for a completion: fi_inject_write(3),
   * fi_inject_writedata(3). Resolves when the provider has taken a copy. What goes wrong later is not reported.
   */
  injectWrite(
    buffer: ArrayBufferView,
    address: number,
    remote: RemoteRegion,
    options?: Pick<WriteOptions, 'data' | 'remoteOffset'>,
  ): Promise<void> {
    const { injectSize } = this.info.txAttr;
    const { memory, offset, length } = this.locate(buffer, 'buffer', injectSize, 'txAttr.injectSize');
    const data = options?.data;
    immediateData(data, this.info);
    const destination = this.destination(address);
    const remoteAddress = this.locateRemote(remote, options?.remoteOffset ?? 0, length);
    const handle = handleOf(this);
    const post = (): number =>
      binding.endpointInjectWrite(handle, memory, offset, length, destination, data, remoteAddress, remote.keyArgument);
    return this.begin(INJECT, buffer, post, undefined, true).then(() => undefined);
  }

  /**
   * Posts a read through the batch door. Nothing is allocated.
   *
   * @param remoteOffset - In bytes from the start of `remote`.
   * @param context - An unsigned 32-bit integer, handed back in the batch.
   * @param batch - Only writes the operation down there, for {@link CompletionQueue.read} to post.
   * @returns false when the provider is full (-FI_EAGAIN): read completions, then post again.
   */
  postRead(
    buffer: ArrayBufferView,
    address: number,
    remote: RemoteRegion,
    remoteOffset: number,
    context: number,
    batch?: PostBatch,
  ): boolean {
    return this.#post(READ, buffer, address, remote, remoteOffset, context, batch);
  }

  /** Posts a write through the batch door; see {@link postRead}. */
  postWrite(
    buffer: ArrayBufferView,
    address: number,
    remote: RemoteRegion,
    remoteOffset: number,
    context: number,
    batch?: PostBatch,
  ): boolean {
    return this.#post(WRITE, buffer, address, remote, remoteOffset, context, batch);
  }

  /** @internal Where in the peer's memory. @throws as the operations do that need it. */
  locateRemote(remote: RemoteRegion, offset: number, length: number, hasCapability = this.#hasRma): bigint | number {
    if (!hasCapability) {
      throw fabricError('cannot use memory of a peer', {
        errno: ERRORS.FI_EOPNOTSUPP,
        syscall: 'fi_getinfo',
        hint: "The endpoint was not opened for it: ask getInfo for caps 'FI_RMA' or 'FI_ATOMIC'.",
      });
    }
    if (!(remote instanceof RemoteRegion)) throw new TypeError(`remote: expected a RemoteRegion, not ${show(remote)}`);
    if (remote.rawKey !== undefined) throw new TypeError('remote: has a raw key, which mapRemote makes usable');
    return remote.locate(offset, length);
  }

  #begin(
    kind: RmaKind,
    buffer: Buffers,
    address: number,
    remote: RemoteRegion,
    options: WriteOptions | undefined,
  ): Promise<Completion> {
    const handle = handleOf(this);
    const remoteOffset = options?.remoteOffset ?? 0;
    this.destination(address);
    const isPlain = options?.flags === undefined && options?.data === undefined && options?.trigger === undefined;
    if (ArrayBuffer.isView(buffer) && isPlain) {
      const { memory, offset, length } = this.locate(buffer);
      const remoteAddress = this.locateRemote(remote, remoteOffset, length);
      const { call } = kind;
      const post = (): number =>
        call(handle, memory, offset, length, address, PROMISE_DOOR, remoteAddress, remote.keyArgument);
      return this.begin(kind, buffer, post, options?.signal);
    }
    const segments = this.segments(buffer, 'buffer', this.info.txAttr.iovLimit);
    let total = 0;
    for (let i = 2; i < segments.length; i += 3) total += segments[i]!;
    const remoteAddress = this.locateRemote(remote, remoteOffset, total);
    const flags = operationFlags(options);
    checkTrusted(this.info, flags, kind.syscall);
    const data = immediateData(options?.data, this.info);
    const when = rawTrigger(options?.trigger, this);
    const post = (): number =>
      binding.endpointRma(
        handle,
        kind.isWrite,
        PROMISE_DOOR,
        segments,
        address,
        remoteAddress,
        remote.keyArgument,
        data,
        flags,
        ...when,
      );
    return this.begin(kind, buffer, post, signalOf(options ?? {}));
  }

  #post(
    kind: RmaKind,
    buffer: ArrayBufferView,
    address: number,
    remote: RemoteRegion,
    remoteOffset: number,
    context: number,
    batch: PostBatch | undefined,
  ): boolean {
    checkContext(context);
    this.destination(address);
    const slice = this.locate(buffer);
    const { memory, offset, length } = slice;
    const remoteAddress = this.locateRemote(remote, remoteOffset, length);
    if (batch !== undefined) {
      const { name } = kind;
      PostBatch.add(batch, name, handleOf(this), buffer, slice, address, context, remoteAddress, remote.keyArgument);
      return true;
    }
    const slot = kind.call(handleOf(this), memory, offset, length, address, context, remoteAddress, remote.keyArgument);
    return this.postedBatch(slot, kind.syscall);
  }
}

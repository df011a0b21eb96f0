/** struct fid_ep of type FI_EP_MSG: endpoints with one peer, and fi_cm(3). */
import { checkAddressBytes } from './address.js';
import { binding } from './binding.js';
import { CompletionQueue } from './completion-queue.js';
import { Connecting, checkTimeout, nameOf, refusal, type ConnectCall, type ConnectOptions } from './connecting.js';
import { checkConnectionData } from './connection-data.js';
import { CAPABILITIES, ERRORS } from './constants.js';
import { Domain } from './domain.js';
import { checkUsable } from './endpoint.js';
import { MessageEndpoint } from './endpoint-messages.js';
import { check, fabricError, type FabricError } from './errors.js';
import { EventQueue } from './event-queue.js';
import type { ErrorEvent, EventOwner, FabricEvent } from './events.js';
import { completeInfo, encodeInfo, type InfoLike } from './info.js';
import { ConnectionRequest } from './passive-endpoint.js';
import { argumentHandle, handleOf } from './resource.js';

/** What a connected endpoint is bound to. */
export interface ConnectedEndpointBindings {
  readonly completionQueue: CompletionQueue;
  readonly eventQueue: EventQueue;
}

/** `disconnected` is final: an endpoint is connected once in its life (fi_cm(3)). */
export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'disconnected';

/** How long what was sent before the end of a connection may take after it. */
const FLUSH_MILLISECONDS = 100;

/**
 * An endpoint that is connected to one peer: fi_endpoint(3), fi_cm(3), fi_msg(3).
 *
 * It is opened from an {@link Info} and calls {@link connect}, or from a {@link ConnectionRequest} and calls
 * {@link accept}. Receives can be posted before; sends once it is connected. There are no addresses: `send(buffer)`.
 */
export class ConnectedEndpoint extends MessageEndpoint implements EventOwner {
  declare readonly addressVector: undefined;
  declare readonly eventQueue: EventQueue;

  readonly #handle: number;
  readonly #isRequested: boolean;
  readonly #ended: Promise<FabricError | undefined>;
  #end!: (error: FabricError | undefined) => void;
  #pending: Connecting | undefined;
  #state: ConnectionState = 'idle';

  /**
   * fi_endpoint(3), fi_ep_bind(3), fi_enable(3).
   *
   * @param from - An Info of type FI_EP_MSG, by default the domain's; or a request, which {@link accept} answers; an
   *   endpoint that is closed without refuses it.
   * @throws FabricError when libfabric refuses, TypeError for objects that do not belong together.
   */
  constructor(domain: Domain, bindings: ConnectedEndpointBindings, from?: InfoLike | ConnectionRequest) {
    const domainHandle = argumentHandle(domain, Domain, 'domain');
    const { completionQueue, eventQueue } = bindings;
    const queueHandle = argumentHandle(completionQueue, CompletionQueue, 'bindings.completionQueue');
    const eventsHandle = argumentHandle(eventQueue, EventQueue, 'bindings.eventQueue');
    if (completionQueue.domain !== domain) throw new TypeError('bindings.completionQueue: belongs to another domain');
    if (eventQueue.fabric !== domain.fabric) throw new TypeError('bindings.eventQueue: belongs to another fabric');
    const request = from instanceof ConnectionRequest ? from : undefined;
    const info = request?.info ?? completeInfo((from as InfoLike | undefined) ?? domain.info);
    const raw = encodeInfo(info, 'info');
    checkUsable(info, raw, ['FI_EP_MSG']);
    const doing = `cannot open an endpoint of provider ${info.fabricAttr.provName ?? ''}`;
    const opened =
      request === undefined
        ? binding.endpointOpen(domainHandle, raw)
        : binding.endpointOpenRequested(domainHandle, handleOf(request));
    const handle = check<number>(opened, 'fi_endpoint', doing);
    super(handle, info, domain, completionQueue, undefined, { eventQueue });
    this.#handle = handle;
    this.#isRequested = request !== undefined;
    this.#ended = new Promise((resolve) => (this.#end = resolve));
    request?.close();
    try {
      check(binding.endpointBindEventQueue(handle, eventsHandle), 'fi_ep_bind', doing);
      const both = CAPABILITIES.FI_SEND | CAPABILITIES.FI_RECV;
      check(binding.endpointBindQueue(handle, queueHandle, both), 'fi_ep_bind', doing);
      check(binding.endpointEnable(handle), 'fi_enable', doing);
    } catch (error) {
      this.close();
      throw error;
    }
    eventQueue.own(handle, this);
  }

  /** Whether it is connected. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** How many bytes of private data {@link connect} and {@link accept} can send: FI_OPT_CM_DATA_SIZE of fi_endpoint(3). */
  get dataSize(): number {
    const size = binding.endpointDataSize(handleOf(this));
    return check<number>(size, 'fi_getopt', 'cannot get the size of private data');
  }

  /** The peer's address: fi_getpeer(3). A copy. @throws FabricError `FI_ENOTCONN` when there is none. */
  get peerAddress(): Buffer {
    const handle = handleOf(this);
    if (this.#state !== 'connected') throw notConnected('fi_getpeer');
    return check<Buffer>(binding.endpointPeer(handle), 'fi_getpeer', "cannot get the peer's address");
  }

  /**
   * Settled when the connection has ended, by either end: with undefined when that was in order (FI_SHUTDOWN, or
   * {@link shutdown} here), with a FabricError when it broke. Never rejects; pending as long as there was no connection.
   */
  get disconnected(): Promise<FabricError | undefined> {
    if (this.#state !== 'disconnected' && !this.closed) this.eventQueue.expect(this, this.#pending !== undefined);
    return this.#ended;
  }

  /**
   * Connects to a listener: fi_connect(3).
   *
   * @param address - Where to. @defaultValue `info.destAddr`
   * @returns the private data of the peer that accepts.
   * @throws ConnectionRejectedError when the peer rejects or nobody listens, FabricError for other failures, the signal's
   *   reason when it fires.
   */
  async connect(options: ConnectOptions & { readonly address?: Uint8Array } = {}): Promise<Buffer> {
    const address = options.address ?? this.info.destAddr;
    if (address === undefined) throw new TypeError('options.address: info has no destAddr; give the address of a peer');
    checkAddressBytes(address, this.info.addrFormat, 'options.address');
    return await this.#begin('fi_connect', options, (data) => binding.endpointConnect(this.#handle, address, data));
  }

  /**
   * Accepts the request that the endpoint was opened from: fi_accept(3). Resolves when the connection is there.
   *
   * @throws as {@link connect}.
   */
  async accept(options: ConnectOptions = {}): Promise<void> {
    if (!this.#isRequested) throw new TypeError('accept: the endpoint was not opened from a ConnectionRequest');
    await this.#begin('fi_accept', options, (data) => binding.endpointAccept(this.#handle, data));
  }

  /**
   * Ends the connection: fi_shutdown(3). Both ends are disconnected; what was in flight is cancelled or lost. Does nothing
   * when it has ended before.
   */
  shutdown(): void {
    if (this.#state === 'disconnected') return;
    const handle = handleOf(this);
    if (this.#state !== 'connected') throw notConnected('fi_shutdown');
    // fi_shutdown of sockets closes a file descriptor that a thread of its closes again, another's by then (1.17 to 2.6).
    if (this.domain.fabric.info.fabricAttr.provName === 'sockets') this.close();
    else check(binding.endpointShutdown(handle), 'fi_shutdown', 'cannot shut down the connection');
    this.#disconnect(undefined);
  }

  /** @internal */
  onEvent(event: FabricEvent): boolean {
    if (event.type === 'FI_CONNECTED') {
      if (this.#state !== 'connecting') return false;
      this.#state = 'connected';
      this.#take()?.resolve(event.data);
      return true;
    }
    if (event.type === 'FI_SHUTDOWN') this.#disconnect(undefined);
    if (event.type !== 'error' || this.#state === 'disconnected') return false;
    if (this.#pending === undefined) this.#disconnect(event.error);
    else this.#refused(event);
    return true;
  }

  /** @internal */
  override checkConnected(): void {
    if (this.#state !== 'connected') throw notConnected('fi_send');
  }

  /** @internal */
  override afterClose(): void {
    super.afterClose();
    this.eventQueue.disown(this.#handle);
    this.#disconnect(undefined);
  }

  #begin(
    syscall: ConnectCall,
    options: ConnectOptions,
    call: (data: Uint8Array | undefined) => number,
  ): Promise<Buffer> {
    handleOf(this);
    checkConnectionData(options.data, this.dataSize);
    checkTimeout(options.timeout);
    options.signal?.throwIfAborted();
    if (this.#state !== 'idle') {
      throw fabricError(`cannot ${nameOf(syscall)}: the endpoint is ${this.#state}`, {
        errno: this.#state === 'connected' ? ERRORS.FI_EISCONN : ERRORS.FI_EALREADY,
        syscall,
        hint: 'An endpoint connects once; open another one.',
      });
    }
    const result = call(options.data);
    if (result < 0) {
      this.#state = 'disconnected';
      const error = refusal(syscall, -result, undefined, Buffer.alloc(0));
      this.#end(error);
      throw error;
    }
    this.#state = 'connecting';
    this.#pending = new Connecting(syscall, options, () => {
      this.#take();
      this.close();
    });
    this.eventQueue.expect(this, true);
    return this.#pending.promise;
  }

  /** Whoever waits for the connection, who now hears of it. */
  #take(): Connecting | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    if (!this.closed) this.eventQueue.unexpect(this);
    return pending;
  }

  #refused({ error, data }: ErrorEvent): void {
    this.#state = 'disconnected';
    const pending = this.#take()!;
    pending.reject(refusal(pending.syscall, error.errno, error.provider, data));
    this.#end(error);
  }

  #disconnect(error: FabricError | undefined): void {
    if (this.#state === 'disconnected') return;
    this.#state = 'disconnected';
    const pending = this.#take();
    if (pending !== undefined) {
      const { syscall } = pending;
      const errno = this.closed ? ERRORS.FI_ECANCELED : ERRORS.FI_ECONNABORTED;
      pending.reject(pending.error(': the connection has ended', { errno, syscall }));
    }
    this.eventQueue.unexpect(this);
    this.#end(error);
    if (this.closed) return;
    this.completionQueue.drain();
    // sockets reports the end on another way than data, which may still be coming, and flushes nothing.
    setTimeout(() => {
      if (!this.closed) this.cancelAll();
    }, FLUSH_MILLISECONDS).unref();
  }
}

function notConnected(syscall: string): FabricError {
  return fabricError('the endpoint is not connected', {
    errno: ERRORS.FI_ENOTCONN,
    syscall,
    hint: 'Wait for connect() or accept() first; after FI_SHUTDOWN open another endpoint.',
  });
}

/** struct fid_pep: where others connect to. */
import { checkAddressBytes } from './address.js';
import { binding, type RawEvent } from './binding.js';
import { checkConnectionData } from './connection-data.js';
import { ERRORS } from './constants.js';
import { check, show } from './errors.js';
import { EventQueue } from './event-queue.js';
import type { EventOwner, FabricEvent } from './events.js';
import { Fabric } from './fabric.js';
import { completeInfo, decodeInfo, encodeInfo, type Info, type InfoLike } from './info.js';
import { argumentHandle, handleOf, Resource } from './resource.js';

/** Options of {@link PassiveEndpoint.listen}. */
export interface PassiveListenOptions {
  /** How many requests may wait for an answer. @defaultValue what the provider is configured for */
  readonly backlog?: number | undefined;
  /** Called with each connection request. Without it they arrive in the event queue only. */
  readonly onRequest?: ((request: ConnectionRequest) => void) | undefined;
}

/** Listens for connections: fi_passive_ep(3), fi_listen(3). */
export class PassiveEndpoint extends Resource implements EventOwner {
  readonly fabric: Fabric;
  readonly info: Info;
  readonly eventQueue: EventQueue;

  readonly #handle: number;
  #onRequest: PassiveListenOptions['onRequest'];
  #isListening = false;
  #referenced = true;

  /**
   * fi_passive_ep(3), fi_pep_bind(3).
   *
   * @param info - Its `srcAddr` is where to listen: from {@link getInfo} with the flag FI_SOURCE.
   * @throws FabricError when libfabric refuses.
   */
  constructor(fabric: Fabric, bindings: { readonly eventQueue: EventQueue }, info?: InfoLike) {
    const fabricHandle = argumentHandle(fabric, Fabric, 'fabric');
    const { eventQueue } = bindings;
    const queueHandle = argumentHandle(eventQueue, EventQueue, 'bindings.eventQueue');
    if (eventQueue.fabric !== fabric) throw new TypeError('bindings.eventQueue: belongs to another fabric');
    const wanted = completeInfo(info ?? fabric.info);
    if (wanted.epAttr.type !== 'FI_EP_MSG') {
      throw new TypeError(`info.epAttr.type: expected 'FI_EP_MSG', not ${show(wanted.epAttr.type)}`);
    }
    const doing = `cannot open a passive endpoint of provider ${wanted.fabricAttr.provName ?? ''}`;
    const opened = binding.passiveEndpointOpen(fabricHandle, encodeInfo(wanted, 'info'));
    const handle = check<number>(opened, 'fi_passive_ep', doing);
    super(handle, binding.passiveEndpointClose, [fabric, eventQueue]);
    this.#handle = handle;
    this.fabric = fabric;
    this.info = wanted;
    this.eventQueue = eventQueue;
    try {
      check(binding.passiveEndpointBind(handle, queueHandle), 'fi_pep_bind', doing);
    } catch (error) {
      this.close();
      throw error;
    }
    eventQueue.own(handle, this);
  }

  /** Where it listens: fi_getname(3). With port 0, the port is known once it listens. A copy. */
  get address(): Buffer {
    return check<Buffer>(binding.passiveEndpointName(handleOf(this)), 'fi_getname', 'cannot get the address');
  }

  /** How many bytes of private data {@link ConnectionRequest.reject} can send: FI_OPT_CM_DATA_SIZE of fi_endpoint(3). */
  get dataSize(): number {
    const size = binding.passiveEndpointDataSize(handleOf(this));
    return check<number>(size, 'fi_getopt', 'cannot get the size of private data');
  }

  /** Changes where it will listen: fi_setname(3). @throws FabricError where the provider cannot. */
  setName(address: Uint8Array): void {
    checkAddressBytes(address, this.info.addrFormat, 'address');
    check(binding.passiveEndpointSetName(handleOf(this), address), 'fi_setname', 'cannot set the address');
  }

  /**
   * Begins to listen: fi_listen(3). Keeps the process alive until it is closed; see {@link unref}.
   *
   * @throws FabricError when libfabric refuses, `FI_EADDRINUSE` when somebody else listens there.
   */
  listen(options: PassiveListenOptions = {}): this {
    const { backlog, onRequest } = options;
    if (backlog !== undefined) {
      if (!Number.isInteger(backlog) || backlog < 0 || backlog >= 2 ** 31) {
        throw new RangeError(`options.backlog: expected a non-negative integer, not ${show(backlog)}`);
      }
      const result = binding.passiveEndpointBacklog(handleOf(this), backlog);
      // A provider without the knob has its own backlog, which is all that this is a wish about.
      if (result !== -ERRORS.FI_ENOSYS) check(result, 'fi_control', 'cannot set the backlog');
    }
    const doing = 'cannot listen';
    const hint = 'Another program may listen there already; port 0 lets the system choose a free one.';
    check(binding.passiveEndpointListen(handleOf(this)), 'fi_listen', doing, hint);
    this.#onRequest = onRequest;
    this.#isListening = true;
    this.eventQueue.expect(this, this.#referenced);
    return this;
  }

  /** Listening keeps the process alive: the default. */
  ref(): this {
    return this.#setReferenced(true);
  }

  /** Listening no longer keeps the process alive. */
  unref(): this {
    return this.#setReferenced(false);
  }

  /** @internal */
  onRequest(raw: RawEvent): ConnectionRequest {
    return new ConnectionRequest(raw, this);
  }

  /** @internal */
  onEvent(event: FabricEvent): boolean {
    if (event.type === 'FI_CONNREQ') this.#onRequest?.(event.request);
    return false;
  }

  /** @internal */
  override afterClose(): void {
    this.eventQueue.disown(this.#handle);
    this.eventQueue.unexpect(this);
  }

  #setReferenced(referenced: boolean): this {
    this.#referenced = referenced;
    if (this.#isListening && !this.closed) this.eventQueue.expect(this, referenced);
    return this;
  }
}

/**
 * Somebody who wants to connect. Open a {@link ConnectedEndpoint} with it and `accept()`, or {@link reject} it; closing it,
 * or letting go of it, rejects it as well.
 */
export class ConnectionRequest extends Resource {
  readonly passiveEndpoint: PassiveEndpoint;
  /** What the connection can do; `destAddr` is where it comes from. */
  readonly info: Info;
  /** Private data that came with the request; a provider may pad it with zeros. */
  readonly data: Buffer;

  /** @internal */
  constructor(raw: RawEvent, passiveEndpoint: PassiveEndpoint) {
    super(raw.request!, rejectRequest, [passiveEndpoint], { syscall: 'fi_reject' });
    this.passiveEndpoint = passiveEndpoint;
    this.info = decodeInfo(raw.info!);
    this.data = raw.data!;
  }

  /**
   * Refuses the connection: fi_reject(3).
   *
   * @param data - For the peer, whose connect fails with a {@link ConnectionRejectedError} that has it.
   * @throws FabricError `FI_EBADF` when it was answered before, RangeError for more data than the provider carries.
   */
  reject(data?: Uint8Array): void {
    const handle = handleOf(this);
    checkConnectionData(data, this.passiveEndpoint.dataSize);
    const result = binding.connectionRequestReject(handle, data);
    this.close();
    check(result, 'fi_reject', 'cannot reject a connection');
  }
}

/** Rejects a request that nobody has answered. */
function rejectRequest(handle: number): number {
  const result = binding.connectionRequestReject(handle);
  return result === -ERRORS.FI_EBADF ? 0 : result;
}

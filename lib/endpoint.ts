/** struct fid_ep: endpoints, as users open them. */
import { AddressVector } from './address-vector.js';
import { binding, type RawInfo } from './binding.js';
import { CompletionQueue, type CompletionQueueOptions } from './completion-queue.js';
import { CAPABILITIES, ERRORS, MODES, type OPERATION_FLAGS } from './constants.js';
import { Counter } from './counter.js';
import { Domain } from './domain.js';
import { EndpointAlias, EndpointWithDefaults, type Side } from './endpoint-defaults.js';
import { isEfaEndpointFailure } from './efa-hints.js';
import { ENDPOINT_OPTIONS, optionCodec, type EndpointOption, type EndpointOptionValue } from './endpoint-options.js';
import { check, show } from './errors.js';
import { errorQueueOf, isErrorQueue } from './error-queue.js';
import { EventQueue } from './event-queue.js';
import type { EventOwner, FabricEvent } from './events.js';
import { Fabric } from './fabric.js';
import type { FlagsInput } from './fields.js';
import { encodeInfo, readInfo, type Info, type InfoLike } from './info.js';
import { argumentHandle, handleOf } from './resource.js';
import { SharedReceiveContext, SharedTransmitContext } from './shared-context.js';

/** Options of {@link Endpoint.open}. */
export type EndpointOpenOptions = Pick<CompletionQueueOptions, 'progress' | 'size'>;

/** What an endpoint is bound to. */
export interface EndpointBindings {
  readonly completionQueue: CompletionQueue;
  readonly addressVector: AddressVector;
  /** Transmits through a context that other endpoints use as well. */
  readonly sharedTransmit?: SharedTransmitContext | undefined;
  /** Messages go to the receives that are posted to a context which other endpoints use as well. */
  readonly sharedReceive?: SharedReceiveContext | undefined;
  /** What counts completions; one counter may count several kinds. */
  readonly counters?: EndpointCounters;
  /**
   * Where errors are reported that belong to no operation. Not every provider has event queues for endpoints without
   * connections. @defaultValue one that the endpoints of a fabric share; what nobody reads there is a process warning
   */
  readonly eventQueue?: EventQueue | undefined;
}

/** Which completions of an endpoint are counted, each by a counter of its own or a shared one: fi_ep_bind(3). */
export type EndpointCounters = Readonly<Partial<Record<keyof typeof COUNTED, Counter>>>;

const COUNTED = {
  /** Messages sent. */
  send: CAPABILITIES.FI_SEND,
  /** Messages received. */
  recv: CAPABILITIES.FI_RECV,
  /** Reads, and atomic operations that fetch, by this endpoint. */
  read: CAPABILITIES.FI_READ,
  /** Writes, and atomic operations, by this endpoint. */
  write: CAPABILITIES.FI_WRITE,
  /** The same by peers, where the endpoint has FI_RMA_EVENT. */
  remoteRead: CAPABILITIES.FI_REMOTE_READ,
  remoteWrite: CAPABILITIES.FI_REMOTE_WRITE,
} as const;

const ONE_ENDPOINT_HINT = 'With efa an address vector serves one endpoint: open another for each.';

/** FI_SHARED_CONTEXT of fi_endpoint(3), as the number of contexts of an endpoint. */
const SHARED_CONTEXT = 2n ** 64n - 1n;
// What this package does by itself; every other mode bit asks something of the application that it does not offer.
const SUPPORTED_MODES = MODES.FI_CONTEXT | MODES.FI_CONTEXT2;

/**
 * A connectionless endpoint (FI_EP_RDM, FI_EP_DGRAM): fi_endpoint(3), fi_msg(3), fi_tagged(3), fi_rma(3), fi_atomic(3).
 *
 * Buffers are any view of a fixed ArrayBuffer or SharedArrayBuffer. They belong to libfabric from the post until the
 * promise is settled (or the completion was read): do not write to what is being sent, nor read what is being received.
 *
 * Every operation has two doors. The promise door (`send`, `recv` …) is for programs. The batch door (`postSend`,
 * `postRecv` …) takes a number as context, allocates nothing, and delivers to {@link CompletionQueue.read}.
 */
export class Endpoint extends EndpointWithDefaults implements EventOwner {
  declare readonly addressVector: AddressVector;
  readonly #handle: number;
  readonly #sharedReceive: SharedReceiveContext | undefined;
  #ownsSet = false;

  /**
   * fi_endpoint(3), fi_ep_bind(3), fi_enable(3): ready to use.
   *
   * @throws FabricError when libfabric refuses, TypeError for objects of another domain.
   */
  constructor(domain: Domain, bindings: EndpointBindings, info?: InfoLike) {
    const domainHandle = argumentHandle(domain, Domain, 'domain');
    const { completionQueue, addressVector, sharedTransmit, sharedReceive, counters = {} } = bindings;
    const { eventQueue } = bindings;
    const queueHandle = argumentHandle(completionQueue, CompletionQueue, 'bindings.completionQueue');
    const avHandle = argumentHandle(addressVector, AddressVector, 'bindings.addressVector');
    for (const [name, bound] of Object.entries({ completionQueue, addressVector, sharedTransmit, sharedReceive })) {
      if (bound !== undefined && bound.domain !== domain)
        throw new TypeError(`bindings.${name}: belongs to another domain`);
    }
    checkCounters(counters, domain);
    if (eventQueue !== undefined) {
      argumentHandle(eventQueue, EventQueue, 'bindings.eventQueue');
      if (eventQueue.fabric !== domain.fabric) throw new TypeError('bindings.eventQueue: belongs to another fabric');
    }
    const { wanted, raw } = info === undefined ? domain.opened : readInfo(info);
    if (sharedReceive !== undefined && sharedReceive.completionQueue !== completionQueue) {
      throw new TypeError('bindings.sharedReceive: has another completion queue than bindings.completionQueue');
    }
    checkUsable(wanted, raw, ['FI_EP_RDM', 'FI_EP_DGRAM']);
    const doing = `cannot open an endpoint of provider ${wanted.fabricAttr.provName ?? ''}`;
    const shared = [sharedTransmit, sharedReceive].filter((context) => context !== undefined);
    const isLikeDomain = info === undefined && shared.length === 0;
    const own = isLikeDomain ? undefined : withSharedContexts(raw, bindings);
    const handle = check<number>(binding.endpointOpen(domainHandle, own), 'fi_endpoint', doing);
    // Joining reports to a queue of its own, and an endpoint has one.
    const joins = wanted.caps.some((name) => name === 'FI_COLLECTIVE' || name === 'FI_MULTICAST');
    super(handle, wanted, domain, completionQueue, addressVector, {
      parents: shared,
      eventQueue: joins ? undefined : (eventQueue ?? errorQueueOf(domain.fabric)),
    });
    this.#handle = handle;
    this.#sharedReceive = sharedReceive;
    try {
      if (this.eventQueue !== undefined) {
        const bound = binding.endpointBindEventQueue(handle, handleOf(this.eventQueue));
        if (!isErrorQueue(this.eventQueue)) check(bound, 'fi_ep_bind', doing);
        this.eventQueue.own(handle, this);
      }
      const both = CAPABILITIES.FI_SEND | CAPABILITIES.FI_RECV;
      check(binding.endpointBindQueue(handle, queueHandle, both), 'fi_ep_bind', doing);
      if (sharedTransmit !== undefined) {
        const context = argumentHandle(sharedTransmit, SharedTransmitContext, 'bindings.sharedTransmit');
        check(binding.endpointBindSharedTransmit(handle, context), 'fi_ep_bind', doing);
      }
      if (sharedReceive !== undefined) {
        const context = argumentHandle(sharedReceive, SharedReceiveContext, 'bindings.sharedReceive');
        check(binding.endpointBindSharedReceive(handle, context), 'fi_ep_bind', doing);
        sharedReceive.add(this);
      }
      const vectorBound = binding.endpointBindAddressVector(handle, avHandle);
      check(vectorBound, 'fi_ep_bind', doing, vectorBound === -ERRORS.FI_ENOSYS ? ONE_ENDPOINT_HINT : undefined);
      if (joins) {
        check(binding.endpointBindEvents(handle), 'fi_eq_open', doing);
      }
      for (const [kind, counter] of Object.entries(counters)) {
        const bound = binding.endpointBindCounter(handle, handleOf(counter), COUNTED[kind as keyof typeof COUNTED]);
        check(bound, 'fi_ep_bind', `cannot bind a counter (${kind})`);
        this.dependOn(counter);
      }
      check(binding.endpointEnable(handle), 'fi_enable', doing);
    } catch (error) {
      super.close();
      throw error;
    }
  }

  /**
   * Opens the usual set in one line: fabric, domain, queues, address vector and endpoint. Closing the endpoint
   * closes them all.
   *
   * @param info - From {@link getInfo} or {@link select}.
   */
  static open(info: InfoLike, options: EndpointOpenOptions = {}): Endpoint {
    const fabric = new Fabric(info);
    try {
      const domain = new Domain(fabric);
      const endpoint = new Endpoint(domain, {
        completionQueue: new CompletionQueue(domain, { size: queueSize(info), ...options }),
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

  /**
   * An option of this endpoint: fi_getopt(3).
   *
   * @throws FabricError `FI_ENOPROTOOPT` where the provider has no such option.
   */
  getOption<T extends EndpointOption>(option: T): EndpointOptionValue<T> {
    const codec = optionCodec(option);
    const raw = binding.endpointGetOption(handleOf(this), ENDPOINT_OPTIONS[option], codec.size);
    return codec.decode(check<bigint>(raw, 'fi_getopt', `cannot read ${option}`));
  }

  /** Changes an option: fi_setopt(3). @throws as {@link getOption}; some can only be changed before use. */
  setOption<T extends EndpointOption>(option: T, value: EndpointOptionValue<T>): void {
    const codec = optionCodec(option);
    const raw = codec.encode(value, option);
    const result = binding.endpointSetOption(handleOf(this), ENDPOINT_OPTIONS[option], codec.size, raw);
    check(result, 'fi_setopt', `cannot set ${option} to ${show(value)}`);
  }

  /** How many more sends can be posted now: fi_tx_size_left(3). @throws FabricError `FI_ENOSYS` where nobody counts. */
  get txSizeLeft(): number {
    return check<number>(binding.endpointSizeLeft(handleOf(this), false), 'fi_tx_size_left', 'cannot count the sends');
  }

  /** How many more receives can be posted now: fi_rx_size_left(3). @throws as {@link txSizeLeft}. */
  get rxSizeLeft(): number {
    return check<number>(
      binding.endpointSizeLeft(handleOf(this), true),
      'fi_rx_size_left',
      'cannot count the receives',
    );
  }

  /**
   * The same endpoint with other flags by default: fi_ep_alias(3). Of providers, sockets, psm2 and psm3 have aliases.
   *
   * @param side - Whose flags they are; those of the other side are as here.
   * @throws FabricError `FI_ENOSYS` where the provider has none.
   */
  alias(side: Side, flags: FlagsInput<typeof OPERATION_FLAGS>): EndpointAlias {
    return new EndpointAlias(this, side, flags);
  }

  /**
   * @internal Errors without an operation are for whoever reads the event queue. When this end has failed, so that nothing
   * more can arrive, whoever waits here hears of it too.
   */
  onEvent(event: FabricEvent): boolean {
    const hasFailed = event.type === 'error' && isEfaEndpointFailure(event.error.provider?.errno ?? 0);
    if (hasFailed && this.info.fabricAttr.provName === 'efa') this.cancelAll(event.error);
    return false;
  }

  /** @internal efa has words for its errors here only, and not in event queues. */
  strerror(providerErrno: number): string {
    return this.completionQueue.strerror(providerErrno);
  }

  /** @internal */
  override afterClose(): void {
    super.afterClose();
    this.eventQueue?.disown(this.#handle);
    this.#sharedReceive?.remove(this);
  }

  /** Closes the endpoint (fi_close(3)), and the set of {@link Endpoint.open}. What was in flight rejects with `FI_ECANCELED`. */
  override close(): void {
    super.close();
    if (this.#ownsSet) this.fabric.close();
  }
}

function checkCounters(counters: EndpointCounters, domain: Domain): void {
  for (const [kind, counter] of Object.entries(counters)) {
    if (!Object.hasOwn(COUNTED, kind)) {
      throw new TypeError(`bindings.counters: ${show(kind)} is none of ${Object.keys(COUNTED).join(', ')}`);
    }
    argumentHandle(counter, Counter, `bindings.counters.${kind}`);
    if (counter.domain !== domain) throw new TypeError(`bindings.counters.${kind}: belongs to another domain`);
  }
}

/**
 * Modes that this package takes care of. FI_MSG_PREFIX only for datagrams: efa's others take it for an offer that costs
 * a buffer of each vector.
 */
const supportedModes = (info: Info): bigint =>
  info.epAttr.type === 'FI_EP_DGRAM' ? SUPPORTED_MODES | MODES.FI_MSG_PREFIX : SUPPORTED_MODES;

/** @internal @throws TypeError for an endpoint of another type, or one that wants what this package does not do. */
export function checkUsable(info: Info, raw: RawInfo, types: readonly Info['epAttr']['type'][]): void {
  if (!types.includes(info.epAttr.type)) {
    const other = info.epAttr.type === 'FI_EP_MSG' ? '; ConnectedEndpoint opens those' : '';
    throw new TypeError(`info.epAttr.type: expected ${types.join(' or ')}, not ${show(info.epAttr.type)}${other}`);
  }
  const mode = (raw['mode'] as bigint | undefined) ?? 0n;
  const unsupported = Object.entries(MODES).filter(([, bit]) => (mode & bit & ~supportedModes(info)) !== 0n);
  if (unsupported.length > 0) {
    const names = unsupported.map(([name]) => name).join(', ');
    throw new TypeError(
      `info.mode: provider ${info.fabricAttr.provName ?? ''} wants ${names}, which is not supported; ` +
        "ask getInfo for mode ['FI_CONTEXT', 'FI_CONTEXT2'] only",
    );
  }
}

/** What opens an endpoint that has contexts of others in place of its own. */
function withSharedContexts(raw: RawInfo, { sharedTransmit, sharedReceive }: EndpointBindings): RawInfo {
  const counts = {
    ...(sharedTransmit !== undefined && { txCtxCnt: SHARED_CONTEXT }),
    ...(sharedReceive !== undefined && { rxCtxCnt: SHARED_CONTEXT }),
  };
  const { epAttr } = encodeInfo({ epAttr: counts }, 'info');
  return { ...raw, epAttr: { ...(raw['epAttr'] as RawInfo), ...(epAttr as RawInfo) } };
}

/** Room for a completion of every operation that the endpoint can have outstanding. */
function queueSize(info: InfoLike): number {
  return Math.min(info.txAttr.size + info.rxAttr.size, 1 << 16);
}

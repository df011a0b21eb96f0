/** struct fid_ep: endpoints, as users open them. */
import { AddressVector } from './address-vector.js';
import { binding, type RawInfo } from './binding.js';
import { CompletionQueue, type CompletionQueueOptions } from './completion-queue.js';
import { MODES } from './constants.js';
import { Domain } from './domain.js';
import { MessageEndpoint } from './endpoint-messages.js';
import { check, FabricError, show } from './errors.js';
import { EventQueue } from './event-queue.js';
import type { EventOwner } from './events.js';
import { Fabric } from './fabric.js';
import { encodeInfo, type Info } from './info.js';
import { argumentHandle, handleOf } from './resource.js';

/** Options of {@link Endpoint.open}. */
export type EndpointOpenOptions = Pick<CompletionQueueOptions, 'progress'>;

/** What an endpoint is bound to. */
export interface EndpointBindings {
  readonly completionQueue: CompletionQueue;
  readonly addressVector: AddressVector;
  /** Where its errors are reported. Not every provider has event queues for endpoints without connections. */
  readonly eventQueue?: EventQueue | undefined;
}

// What this package does by itself; every other mode bit asks something of the application that it does not offer.
const SUPPORTED_MODES = MODES.FI_CONTEXT | MODES.FI_CONTEXT2;

/**
 * A connectionless endpoint (FI_EP_RDM, FI_EP_DGRAM): fi_endpoint(3), fi_msg(3), fi_tagged(3).
 *
 * Buffers are any view of a fixed ArrayBuffer or SharedArrayBuffer. They belong to libfabric from the post until the
 * promise is settled (or the completion was read): do not write to what is being sent, nor read what is being received.
 *
 * Every operation has two doors. The promise door (`send`, `recv` …) is for programs. The batch door (`postSend`,
 * `postRecv` …) takes a number as context, allocates nothing, and delivers to {@link CompletionQueue.read}.
 */
export class Endpoint extends MessageEndpoint implements EventOwner {
  declare readonly addressVector: AddressVector;
  readonly #handle: number;
  #ownsSet = false;

  /**
   * fi_endpoint(3), fi_ep_bind(3), fi_enable(3): ready to use.
   *
   * @throws FabricError when libfabric refuses, TypeError for objects of another domain.
   */
  constructor(domain: Domain, bindings: EndpointBindings, info?: Info) {
    const domainHandle = argumentHandle(domain, Domain, 'domain');
    const { completionQueue, addressVector, eventQueue } = bindings;
    const queueHandle = argumentHandle(completionQueue, CompletionQueue, 'bindings.completionQueue');
    const avHandle = argumentHandle(addressVector, AddressVector, 'bindings.addressVector');
    for (const [name, bound] of Object.entries({ completionQueue, addressVector })) {
      if (bound.domain !== domain) throw new TypeError(`bindings.${name}: belongs to another domain`);
    }
    if (eventQueue !== undefined) {
      argumentHandle(eventQueue, EventQueue, 'bindings.eventQueue');
      if (eventQueue.fabric !== domain.fabric) throw new TypeError('bindings.eventQueue: belongs to another fabric');
    }
    const wanted = info ?? domain.info;
    const raw = encodeInfo(wanted, 'info');
    checkUsable(wanted, raw, ['FI_EP_RDM', 'FI_EP_DGRAM']);
    const doing = `cannot open an endpoint of provider ${wanted.fabricAttr.provName ?? ''}`;
    const handle = check<number>(binding.endpointOpen(domainHandle, raw), 'fi_endpoint', doing);
    super(handle, wanted, domain, completionQueue, addressVector, eventQueue);
    this.#handle = handle;
    try {
      if (eventQueue !== undefined) {
        const bound = binding.endpointBindEventQueue(handle, handleOf(eventQueue));
        if (!optionalQueues.has(eventQueue)) check(bound, 'fi_ep_bind', doing);
        eventQueue.own(handle, this);
      }
      check(binding.endpointBindQueue(handle, queueHandle), 'fi_ep_bind', doing);
      check(binding.endpointBindAddressVector(handle, avHandle), 'fi_ep_bind', doing);
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
  static open(info: Info, options: EndpointOpenOptions = {}): Endpoint {
    const fabric = new Fabric(info);
    try {
      const domain = new Domain(fabric);
      const endpoint = new Endpoint(domain, {
        completionQueue: new CompletionQueue(domain, { ...options, size: queueSize(info) }),
        addressVector: new AddressVector(domain),
        eventQueue: openEventQueue(fabric),
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

  /** @internal Errors without a call that could have said so are for whoever reads the event queue. */
  onEvent(): boolean {
    return false;
  }

  /** @internal */
  override afterClose(): void {
    super.afterClose();
    this.eventQueue?.disown(this.#handle);
  }

  /** Closes the endpoint (fi_close(3)), and the set of {@link Endpoint.open}. What was in flight rejects with `FI_ECANCELED`. */
  override close(): void {
    super.close();
    if (this.#ownsSet) this.fabric.close();
  }
}

/** Event queues that a provider may refuse to bind: nobody has asked for them. */
const optionalQueues = new WeakSet<EventQueue>();

/** A queue for errors, where the provider has such. (efa of libfabric 2.1 aborts the process at an error without one.) */
function openEventQueue(fabric: Fabric): EventQueue | undefined {
  try {
    const queue = new EventQueue(fabric);
    optionalQueues.add(queue);
    return queue;
  } catch (error) {
    if (error instanceof FabricError) return undefined;
    throw error;
  }
}

/** @internal @throws TypeError for an endpoint of another type, or one that wants what this package does not do. */
export function checkUsable(info: Info, raw: RawInfo, types: readonly Info['epAttr']['type'][]): void {
  if (!types.includes(info.epAttr.type)) {
    const other = info.epAttr.type === 'FI_EP_MSG' ? '; ConnectedEndpoint opens those' : '';
    throw new TypeError(`info.epAttr.type: expected ${types.join(' or ')}, not ${show(info.epAttr.type)}${other}`);
  }
  const mode = (raw['mode'] as bigint | undefined) ?? 0n;
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

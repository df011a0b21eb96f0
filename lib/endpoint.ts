/** struct fid_ep: endpoints, as users open them. */
import { AddressVector } from './address-vector.js';
import { binding } from './binding.js';
import { CompletionQueue, type CompletionQueueOptions } from './completion-queue.js';
import { CAPABILITIES, MODES } from './constants.js';
import { Counter } from './counter.js';
import { Domain } from './domain.js';
import { AtomicEndpoint } from './endpoint-atomics.js';
import { check, show } from './errors.js';
import { Fabric } from './fabric.js';
import { encodeInfo, type Info } from './info.js';
import { argumentHandle, handleOf } from './resource.js';

/** Options of {@link Endpoint.open}. */
export type EndpointOpenOptions = Pick<CompletionQueueOptions, 'progress'>;

/** What an endpoint is bound to. */
export interface EndpointBindings {
  readonly completionQueue: CompletionQueue;
  readonly addressVector: AddressVector;
  /** What counts completions; one counter may count several kinds. */
  readonly counters?: EndpointCounters;
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

// What this package does by itself; every other mode bit asks something of the application that it does not offer.
const SUPPORTED_MODES = MODES.FI_CONTEXT | MODES.FI_CONTEXT2;

/**
 * A connectionless endpoint: fi_endpoint(3), fi_msg(3), fi_tagged(3), fi_rma(3), fi_atomic(3).
 *
 * Buffers are any view of a fixed ArrayBuffer or SharedArrayBuffer. They belong to libfabric from the post until the
 * promise is settled (or the completion was read): do not write to what is being sent, nor read what is being received.
 *
 * Every operation has two doors. The promise door (`send`, `recv` …) is for programs. The batch door (`postSend`,
 * `postRecv` …) takes a number as context, allocates nothing, and delivers to {@link CompletionQueue.read}.
 */
export class Endpoint extends AtomicEndpoint {
  declare readonly addressVector: AddressVector;
  #ownsSet = false;

  /**
   * fi_endpoint(3), fi_ep_bind(3), fi_enable(3): ready to use.
   *
   * @throws FabricError when libfabric refuses, TypeError for objects of another domain.
   */
  constructor(domain: Domain, bindings: EndpointBindings, info?: Info) {
    const domainHandle = argumentHandle(domain, Domain, 'domain');
    const { completionQueue, addressVector, counters = {} } = bindings;
    const queueHandle = argumentHandle(completionQueue, CompletionQueue, 'bindings.completionQueue');
    const avHandle = argumentHandle(addressVector, AddressVector, 'bindings.addressVector');
    for (const [name, bound] of Object.entries({ completionQueue, addressVector })) {
      if (bound.domain !== domain) throw new TypeError(`bindings.${name}: belongs to another domain`);
    }
    checkCounters(counters, domain);
    const wanted = info ?? domain.info;
    const raw = encodeInfo(wanted, 'info');
    checkUsable(wanted, (raw['mode'] as bigint | undefined) ?? 0n);
    const doing = `cannot open an endpoint of provider ${wanted.fabricAttr.provName ?? ''}`;
    const handle = check<number>(binding.endpointOpen(domainHandle, raw), 'fi_endpoint', doing);
    super(handle, wanted, domain, completionQueue, addressVector);
    try {
      check(binding.endpointBindQueue(handle, queueHandle), 'fi_ep_bind', doing);
      check(binding.endpointBindAddressVector(handle, avHandle), 'fi_ep_bind', doing);
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

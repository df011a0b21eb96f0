/** Scalable endpoints: one address, many transmit and receive contexts, each with a queue of its own. fi_endpoint(3). */
import { AddressVector } from './address-vector.js';
import { binding } from './binding.js';
import { CompletionQueue } from './completion-queue.js';
import { CAPABILITIES } from './constants.js';
import { Domain } from './domain.js';
import type { Direction } from './endpoint-base.js';
import { MessageEndpoint } from './endpoint-messages.js';
import { check, show } from './errors.js';
import { readInfo, type Info, type InfoLike } from './info.js';
import { argumentHandle, handleOf, Resource } from './resource.js';

/** How many contexts a scalable endpoint has. */
export interface ScalableEndpointOptions {
  /** @defaultValue 1 */
  readonly transmitContexts?: number;
  /** @defaultValue 1 */
  readonly receiveContexts?: number;
}

/**
 * An endpoint whose operations are posted to contexts: fi_scalable_ep(3). A peer addresses one of its receive contexts
 * with {@link AddressVector.receiveContext}.
 */
export class ScalableEndpoint extends Resource {
  readonly domain: Domain;
  readonly addressVector: AddressVector;
  readonly info: Info;
  readonly transmitContexts: number;
  readonly receiveContexts: number;

  /** @throws FabricError where the provider has none (`domainAttr.maxEpTxCtx` is 1). */
  constructor(
    domain: Domain,
    addressVector: AddressVector,
    options: ScalableEndpointOptions = {},
    info: InfoLike = domain.info,
  ) {
    const domainHandle = argumentHandle(domain, Domain, 'domain');
    const avHandle = argumentHandle(addressVector, AddressVector, 'addressVector');
    if (addressVector.domain !== domain) throw new TypeError('addressVector: belongs to another domain');
    const { transmitContexts = 1, receiveContexts = 1 } = options;
    const { maxEpTxCtx, maxEpRxCtx } = info.domainAttr;
    checkCount(transmitContexts, 'options.transmitContexts', maxEpTxCtx, 'domainAttr.maxEpTxCtx');
    checkCount(receiveContexts, 'options.receiveContexts', maxEpRxCtx, 'domainAttr.maxEpRxCtx');
    const epAttr = { ...info.epAttr, txCtxCnt: transmitContexts, rxCtxCnt: receiveContexts };
    const { wanted, raw } = readInfo({ ...info, epAttr });
    const doing = 'cannot open a scalable endpoint';
    const handle = check<number>(binding.scalableEndpointOpen(domainHandle, raw), 'fi_scalable_ep', doing);
    super(handle, closeScalable, [domain, addressVector]);
    this.domain = domain;
    this.addressVector = addressVector;
    this.info = wanted;
    this.transmitContexts = transmitContexts;
    this.receiveContexts = receiveContexts;
    try {
      check(binding.scalableEndpointBind(handle, avHandle), 'fi_scalable_ep_bind', doing);
      check(binding.endpointEnable(handle), 'fi_enable', doing);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The address of all its contexts together: fi_getname(3). */
  get address(): Buffer {
    return check<Buffer>(binding.endpointName(handleOf(this)), 'fi_getname', 'cannot get the address');
  }

  /** Opens a transmit context: fi_tx_context(3). @param index - Below {@link transmitContexts}. */
  transmitContext(index: number, completionQueue: CompletionQueue): EndpointContext {
    checkIndex(index, this.transmitContexts);
    return new EndpointContext(this, index, completionQueue, 'transmit');
  }

  /** Opens a receive context: fi_rx_context(3). @param index - Below {@link receiveContexts}. */
  receiveContext(index: number, completionQueue: CompletionQueue): EndpointContext {
    checkIndex(index, this.receiveContexts);
    return new EndpointContext(this, index, completionQueue, 'receive');
  }
}

/** A transmit or receive context of a {@link ScalableEndpoint}: an endpoint that only sends, or only receives. */
export class EndpointContext extends MessageEndpoint {
  readonly index: number;

  /** @internal */
  constructor(owner: ScalableEndpoint, index: number, queue: CompletionQueue, direction: Exclude<Direction, 'both'>) {
    const queueHandle = argumentHandle(queue, CompletionQueue, 'completionQueue');
    if (queue.domain !== owner.domain) throw new TypeError('completionQueue: belongs to another domain');
    const [open, syscall, flags] =
      direction === 'transmit'
        ? [binding.transmitContextOpen, 'fi_tx_context', CAPABILITIES.FI_SEND]
        : [binding.receiveContextOpen, 'fi_rx_context', CAPABILITIES.FI_RECV];
    const doing = `cannot open ${direction} context ${index}`;
    const handle = check<number>(open(handleOf(owner), index), syscall, doing);
    super(handle, owner.info, owner.domain, queue, owner.addressVector, { direction, parents: [owner] });
    this.index = index;
    try {
      check(binding.endpointBindQueue(handle, queueHandle, flags), 'fi_ep_bind', doing);
      check(binding.endpointEnable(handle), 'fi_enable', doing);
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

function closeScalable(handle: number): number {
  const closed = binding.endpointClose(handle);
  return closed < 0 ? closed : binding.endpointFree(handle);
}

function checkCount(count: number, name: string, limit: number, limitName: string): void {
  if (Number.isInteger(count) && count >= 1 && count <= limit) return;
  throw new RangeError(`${name}: expected an integer from 1 to ${limit} (${limitName}), not ${show(count)}`);
}

function checkIndex(index: number, count: number): void {
  if (Number.isInteger(index) && index >= 0 && index < count) return;
  throw new RangeError(`index: expected an integer from 0 to ${count - 1}, not ${show(index)}`);
}

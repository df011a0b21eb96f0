/** Transmit and receive contexts that several endpoints of a domain share: fi_endpoint(3). */
import { binding } from './binding.js';
import { CompletionQueue } from './completion-queue.js';
import { Domain } from './domain.js';
import { MessageEndpoint } from './endpoint-messages.js';
import { check } from './errors.js';
import { completeInfo, encodeInfo, type InfoLike } from './info.js';
import { argumentHandle, Resource } from './resource.js';

/** A transmit context for many endpoints: fi_stx_context(3). Given to {@link Endpoint} as `sharedTransmit`. */
export class SharedTransmitContext extends Resource {
  readonly domain: Domain;

  /** @throws FabricError `FI_ENOSYS` or `FI_EINVAL` where the provider has none (`domainAttr.maxEpStxCtx` is 0). */
  constructor(domain: Domain, info: InfoLike = domain.info) {
    const handle = binding.sharedTransmitOpen(argumentHandle(domain, Domain, 'domain'), encodeInfo(info, 'info'));
    const doing = 'cannot open a shared transmit context';
    super(check<number>(handle, 'fi_stx_context', doing), binding.sharedTransmitClose, [domain]);
    this.domain = domain;
  }
}

/**
 * A receive context for many endpoints: fi_srx_context(3). Given to {@link Endpoint} as `sharedReceive`. Receives are
 * posted here, and take the messages of all those endpoints, which have to use the same completion queue. It keeps them
 * open: a program that only receives may forget them.
 */
export class SharedReceiveContext extends MessageEndpoint {
  readonly #endpoints = new Set<Resource>();

  /** @throws FabricError `FI_ENOSYS` or `FI_EINVAL` where the provider has none (`domainAttr.maxEpSrxCtx` is 0). */
  constructor(domain: Domain, completionQueue: CompletionQueue, info: InfoLike = domain.info) {
    const domainHandle = argumentHandle(domain, Domain, 'domain');
    const queueHandle = argumentHandle(completionQueue, CompletionQueue, 'completionQueue');
    if (completionQueue.domain !== domain) throw new TypeError('completionQueue: belongs to another domain');
    const handle = binding.sharedReceiveOpen(domainHandle, encodeInfo(info, 'info'), queueHandle);
    const doing = 'cannot open a shared receive context';
    super(check<number>(handle, 'fi_srx_context', doing), completeInfo(info), domain, completionQueue, undefined, {
      direction: 'receive',
    });
  }

  /** @internal An endpoint that receives here, until {@link remove}. */
  add(endpoint: Resource): void {
    this.#endpoints.add(endpoint);
  }

  /** @internal */
  remove(endpoint: Resource): void {
    this.#endpoints.delete(endpoint);
  }
}

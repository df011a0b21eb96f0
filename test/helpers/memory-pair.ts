/** Two endpoints in this process that can use each other's memory. */
import {
  AddressVector,
  CompletionQueue,
  Domain,
  Endpoint,
  Fabric,
  FabricError,
  select,
  type DomainOptions,
  type EndpointCounters,
  type Info,
  type SelectOptions,
} from 'node-libfabric';
import { describe, it, onTestFinished } from 'vitest';
import { PROVIDERS, type Provider } from './providers.js';

/** One of two ends. */
export interface End {
  readonly domain: Domain;
  readonly endpoint: Endpoint;
  readonly counters: EndpointCounters;
}

type Capabilities = NonNullable<NonNullable<SelectOptions['hints']>['caps']>;

export type MemoryProvider = Provider;

/** An interface with messages and `caps` on loopback. @throws FabricError when the provider has none. */
export function infoWith(provider: string, caps: Capabilities): Info {
  const hints = { caps: ['FI_MSG', 'FI_TAGGED', ...(caps as 'FI_RMA'[])] as const };
  const { candidates, info } = select({ require: provider, hints });
  const isLoopback = (candidate: Info): boolean =>
    candidate.addrFormat === 'FI_SOCKADDR_IN' && candidate.srcAddr?.subarray(4, 8).join('.') === '127.0.0.1';
  return candidates.find(isLoopback) ?? info;
}

/** Describes the same behaviour over each provider that has `caps`; the others are skipped tests with the reason. */
export function overProvidersWith(caps: Capabilities, body: (info: Info, provider: MemoryProvider) => void): void {
  for (const provider of PROVIDERS) {
    let info: Info;
    try {
      info = infoWith(provider, caps);
    } catch (error) {
      if (!(error instanceof FabricError)) throw error;
      it.skip(`over ${provider}: ${error.message}`);
      continue;
    }
    describe(`over ${provider}`, () => {
      body(info, provider);
    });
  }
}

/** One end, closed when the test has ended. */
export function openEnd(
  info: Info,
  options: DomainOptions & { counters?: (domain: Domain) => EndpointCounters } = {},
): End {
  const { counters, ...domainOptions } = options;
  const fabric = new Fabric(info);
  onTestFinished(() => {
    fabric.close();
  });
  const domain = new Domain(fabric, info, domainOptions);
  const bound = counters?.(domain) ?? {};
  const endpoint = new Endpoint(domain, {
    completionQueue: new CompletionQueue(domain, { progress: 'spin' }),
    addressVector: new AddressVector(domain),
    counters: bound,
  });
  return { domain, endpoint, counters: bound };
}

/** `left` uses memory of `right`. */
export function openMemoryPair(info: Info): { left: Endpoint; right: Endpoint; toRight: number } {
  const left = openEnd(info).endpoint;
  const right = openEnd(info).endpoint;
  // Where the provider leaves progress to the application, an end with nothing outstanding looks only now and then.
  right.trecv(new Uint8Array(1), 0n).catch(() => undefined);
  return { left, right, toRight: left.addressVector.insert(right.address) };
}

/** The same promise, or a rejection that names `what` when it is still pending after ten seconds. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`still waiting: ${what}`));
    }, 10_000);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a promise is rejected with. */
export async function refusal(promise: Promise<unknown>, what: string): Promise<Error> {
  const [result] = await soon(Promise.allSettled([promise]), what);
  if (result.status === 'fulfilled') throw new Error(`fulfilled, and not rejected: ${what}`);
  return result.reason as Error;
}

/** Bytes that depend on their position and on `seed`. */
export const patterned = (length: number, seed = 1): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8) * 7 + seed) & 0xff));

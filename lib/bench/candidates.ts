import { select, type Hints, type Info } from '../index.js';
import { preferControlAddress } from './data-address.js';
import { BenchError } from './errors.js';
import { goesBy } from './negotiate.js';
import type { Candidate, EndpointType, Operation, Rejection, Wants } from './protocol.js';

/** What this host can measure with, best first. */
export interface Discovery {
  infos: readonly Info[];
  /** Usable, but not what was asked for by name. */
  withheld: readonly Info[];
  rejected: Rejection[];
}

/** A candidate as the other end sees it, with what this end opens for it, best first. */
export interface LocalCandidate {
  candidate: Candidate;
  infos: Info[];
}

/** What an operation asks of an endpoint; acknowledgements are messages of their own. */
const CAPABILITIES: Record<Operation, Hints['caps'] & {}> = {
  msg: ['FI_MSG'],
  tagged: ['FI_TAGGED'],
  write: ['FI_MSG', 'FI_RMA'],
  read: ['FI_MSG', 'FI_RMA'],
  writedata: ['FI_MSG', 'FI_RMA'],
};

/**
 * The endpoints of this host that can do what is wanted, only those of `provider` where one is
 * named. Throws a BenchError `NO_PROVIDER` that says what there is, and why the rest is not.
 */
export function discover({ endpointType, operation }: Wants, provider?: string): Discovery {
  // The peer may be on this host; shm is agreed on only where it is.
  const { candidates, rejected: notChosen } = select({
    peer: 'same-host',
    hints: {
      caps: CAPABILITIES[operation],
      epAttr: { type: `FI_EP_${endpointType.toUpperCase() as Uppercase<EndpointType>}` },
      // A write is over when the data is there, not when it has left.
      ...(operation === 'write' ? { txAttr: { opFlags: ['FI_DELIVERY_COMPLETE'] } } : {}),
    },
  });
  // To select() all but one are rejected; here what is usable waits for what the other end has.
  const usable = new Set(candidates.map(providerOf));
  const rejected = notChosen.filter((rejection) => !usable.has(rejection.provider));
  if (provider === undefined) return { infos: candidates, withheld: [], rejected };

  // `tcp` means tcp itself where it has such endpoints, and tcp;ofi_rxm where it has none.
  const exact = candidates.filter((info) => providerOf(info) === provider);
  const named = exact.length > 0 ? exact : candidates.filter((info) => goesBy(providerOf(info), provider));
  if (named.length === 0) throw new BenchError('NO_PROVIDER', whyAbsent(provider, candidates, rejected));
  const others = [...usable].filter((name) => !named.some((info) => providerOf(info) === name));
  return {
    infos: named,
    withheld: candidates.filter((info) => !named.includes(info)),
    rejected: [...rejected, ...others.map((name) => ({ provider: name, reason: `only ${provider} was asked for` }))],
  };
}

/** Why a provider that somebody insists on is not among what this host can use. */
export function whyAbsent(provider: string, infos: readonly Info[], rejected: readonly Rejection[]): string {
  const available = [...new Set(infos.map(providerOf))].join(', ') || 'none';
  const rejection = rejected.find((other) => goesBy(other.provider, provider));
  const why = rejection ? `: ${rejection.reason}` : '';
  return `provider ${provider} cannot be used on this host${why}; it has ${available}`;
}

/** Groups what was discovered by what a peer must have as well, for the way that `controlAddress` shows. */
export function groupCandidates(infos: readonly Info[], controlAddress: string): LocalCandidate[] {
  const groups = new Map<string, Info[]>();
  for (const info of infos) {
    const { type, protocol, protocolVersion } = info.epAttr;
    const key = [providerOf(info), type, protocol, protocolVersion, fabricOf(info)].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), info]);
  }
  return [...groups.values()].map((group) => {
    const ordered = preferControlAddress(group, controlAddress);
    const first = ordered[0]!;
    const fabric = fabricOf(first);
    return {
      infos: ordered,
      candidate: {
        provider: providerOf(first),
        protocol: String(first.epAttr.protocol),
        protocolVersion: first.epAttr.protocolVersion,
        endpointType: String(first.epAttr.type),
        ...(fabric === undefined ? {} : { fabric }),
        domains: [...new Set(ordered.map(domainOf))],
        addressFormats: [...new Set(ordered.map((info) => String(info.addrFormat)))],
      },
    };
  });
}

/** What this end opens for what was agreed: the best way of that provider, protocol and format. */
export function findInfo(
  local: readonly LocalCandidate[],
  agreed: Pick<Candidate, 'provider' | 'protocol' | 'fabric'>,
  addressFormat: string,
): Info {
  const info = local
    .filter(({ candidate }) => candidate.provider === agreed.provider)
    .filter(({ candidate }) => candidate.protocol === agreed.protocol)
    .filter(({ candidate }) => candidate.fabric === agreed.fabric)
    .flatMap(({ infos }) => infos)
    .find((candidate) => String(candidate.addrFormat) === addressFormat);
  if (info) return info;
  throw new BenchError(
    'MISMATCH',
    `the other end plans ${agreed.provider} (${agreed.protocol}, ${addressFormat}), which was not offered`,
  );
}

/** libfabric's name of the provider: `efa`, `tcp;ofi_rxm`. */
export function providerOf(info: Info): string {
  return info.fabricAttr.provName ?? '';
}

/** The name of the domain: a network interface or a device. */
export function domainOf(info: Info): string {
  return info.domainAttr.name ?? '';
}

/** efa and efa-direct are one provider and one protocol, and differ in their fabric's name. */
function fabricOf(info: Info): string | undefined {
  return providerOf(info) === 'efa' ? info.fabricAttr.name : undefined;
}

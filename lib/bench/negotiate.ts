import { BenchError } from './errors.js';
import { whyNotSameHost } from './host-identity.js';
import type { Parameters } from './parameters.js';
import { DEFAULT_PORT, type Candidate, type Hello, type Rejection } from './protocol.js';

/** What a negotiation looks at: the parts of a hello that decide. */
export type Offer = Pick<Hello, 'libfabric' | 'host' | 'candidates' | 'withheld' | 'rejected'>;

/** What both ends will use, and why nothing else. */
export interface Agreement {
  client: Candidate;
  server: Candidate;
  addressFormat: string;
  reason: string;
  notUsed: Rejection[];
}

/**
 * Finds what both ends have: same endpoint type, same protocol on the wire, an address format
 * in common. The client's order decides. Throws a BenchError `MISMATCH` when there is nothing; its hint has the commands
 * for both ends that would work, where some do. `host` and `port`: where the client reaches the server.
 */
export function negotiate(client: Offer, server: Offer, at: Pick<Parameters, 'host' | 'port'>): Agreement {
  const matches = client.candidates.flatMap((candidate) => {
    const match = findMatch(candidate, client, server);
    return match ? [{ candidate, ...match }] : [];
  });
  const best = matches[0];
  if (!best) {
    const hint = whatWouldDo(client, server, at);
    throw new BenchError('MISMATCH', nothingInCommon(client, server), hint === undefined ? {} : { hint });
  }

  const notUsed = client.candidates
    .filter((candidate) => candidate !== best.candidate)
    .map((candidate) => ({
      provider: candidate.provider,
      protocol: candidate.protocol,
      reason: matches.some((match) => match.candidate === candidate)
        ? `ranked after ${best.candidate.provider}`
        : whyNoMatch(candidate, client, server),
    }));
  return {
    client: best.candidate,
    server: best.server,
    addressFormat: best.addressFormat,
    reason: whyChosen(best.candidate, client.candidates),
    notUsed: [...notUsed, ...mergeRejections(client, server)],
  };
}

/** Whether a candidate goes by a name: its own, or as the core below a utility layer. */
export function goesBy(provider: string, name: string): boolean {
  return provider === name || provider.startsWith(`${name};`);
}

function findMatch(
  candidate: Candidate,
  client: Offer,
  server: Offer,
): { server: Candidate; addressFormat: string } | undefined {
  if (whyNotShareable(candidate, client, server) !== undefined) return undefined;
  const compatible = server.candidates.filter((other) => isCompatible(candidate, other));
  // The same name first: a protocol may be on offer under an old name and a new one.
  const ordered = [
    ...compatible.filter((other) => other.provider === candidate.provider),
    ...compatible.filter((other) => other.provider !== candidate.provider),
  ];
  for (const other of ordered) {
    const addressFormat = candidate.addressFormats.find((format) => other.addressFormats.includes(format));
    if (addressFormat !== undefined) return { server: other, addressFormat };
  }
  return undefined;
}

function isCompatible(one: Candidate, other: Candidate): boolean {
  if (one.endpointType !== other.endpointType || one.protocol !== other.protocol) return false;
  if (!isSameVersion(one, other) || one.fabric !== other.fabric) return false;
  // A utility layer's protocol says nothing about the core below it: verbs;ofi_rxm and
  // tcp;ofi_rxm are both FI_PROTO_RXM. An unspecified protocol says nothing at all.
  const nameDecides = one.provider.includes(';') || one.protocol === 'FI_PROTO_UNSPEC';
  return !nameDecides || one.provider === other.provider;
}

/** net of libfabric 1.17 says 0 for what tcp of 2.x calls version 1 of FI_PROTO_XNET; they understand each other. */
function isSameVersion(one: Candidate, other: Candidate): boolean {
  if (one.protocolVersion === other.protocolVersion) return true;
  return one.protocol === 'FI_PROTO_XNET' && Math.max(one.protocolVersion, other.protocolVersion) === 1;
}

/** shm needs one host, and the same libfabric on both ends: its memory layout has no version. */
function whyNotShareable(candidate: Candidate, client: Offer, server: Offer): string | undefined {
  if (candidate.protocol !== 'FI_PROTO_SHM') return undefined;
  const apart = whyNotSameHost(client.host, server.host);
  if (apart !== undefined) return `needs both ends on one host: ${apart}`;
  if (client.libfabric === server.libfabric) return undefined;
  return `needs one libfabric version: the client has ${client.libfabric}, the server ${server.libfabric}`;
}

function whyNoMatch(candidate: Candidate, client: Offer, server: Offer): string {
  const unshareable = whyNotShareable(candidate, client, server);
  if (unshareable !== undefined) return unshareable;
  const compatible = server.candidates.filter((other) => isCompatible(candidate, other));
  if (compatible.length > 0) {
    const theirs = compatible.flatMap((other) => other.addressFormats).join(', ');
    return `no address format in common: the client has ${candidate.addressFormats.join(', ')}, the server ${theirs}`;
  }
  const sameName = server.candidates.find((other) => other.provider === candidate.provider);
  if (sameName) {
    return (
      `the server's ${sameName.provider} speaks ${sameName.protocol} version ${sameName.protocolVersion}, ` +
      `the client's ${candidate.protocol} version ${candidate.protocolVersion}`
    );
  }
  const rejection = server.rejected.find((other) => other.provider === candidate.provider);
  const why = rejection ? `: ${rejection.reason}` : '';
  return `the server does not have ${candidate.provider} (${candidate.protocol})${why}`;
}

function whyChosen(chosen: Candidate, candidates: Candidate[]): string {
  if (candidates.length === 1) return 'the client offers nothing else';
  const rank = candidates.indexOf(chosen) + 1;
  return rank === 1
    ? 'the best of the client, and the server has it too'
    : `the best that both ends have (the client's number ${rank})`;
}

/** One line for what both ends reject for one reason, else a line that says which end. */
function mergeRejections(client: Offer, server: Offer): Rejection[] {
  const isSame = (one: Rejection, other: Rejection): boolean =>
    one.provider === other.provider && one.reason === other.reason;
  const offered = new Set(client.candidates.map((candidate) => candidate.provider));
  return [
    ...client.rejected.map((rejection) =>
      server.rejected.some((other) => isSame(other, rejection))
        ? rejection
        : { ...rejection, reason: `on the client: ${rejection.reason}` },
    ),
    ...server.rejected
      // What the client offers has its line already, with the server's reason in it.
      .filter((rejection) => !offered.has(rejection.provider))
      .filter((rejection) => !client.rejected.some((other) => isSame(other, rejection)))
      .map((rejection) => ({ ...rejection, reason: `on the server: ${rejection.reason}` })),
    ...server.candidates
      .filter((candidate) => !offered.has(candidate.provider))
      .filter(({ provider }) => !client.rejected.some((other) => other.provider === provider))
      .filter(({ protocol }) => !client.candidates.some((other) => other.protocol === protocol))
      .map(({ provider, protocol }) => ({
        provider,
        protocol,
        reason: 'the client does not have it',
      })),
  ];
}

function nothingInCommon(client: Offer, server: Offer): string {
  const list = (candidates: Candidate[]): string =>
    candidates.map(({ provider, protocol }) => `${provider} (${protocol})`).join(', ') || 'nothing';
  const only = client.candidates.length === 1 ? client.candidates[0] : undefined;
  const why = only ? `: ${whyNoMatch(only, client, server)}` : '';
  return (
    `the ends have no provider in common${why}; ` +
    `the client offers ${list(client.candidates)}; the server offers ${list(server.candidates)}`
  );
}

/** The commands for both ends that have a protocol in common, with what was withheld so far. */
function whatWouldDo(
  client: Offer,
  server: Offer,
  { host, port }: Pick<Parameters, 'host' | 'port'>,
): string | undefined {
  const offer = (end: Offer): Offer => ({ ...end, candidates: [...end.candidates, ...end.withheld] });
  const [all, theirs] = [offer(client), offer(server)];
  const matches = all.candidates.flatMap((candidate) => {
    const match = findMatch(candidate, all, theirs);
    return match ? [{ candidate, server: match.server }] : [];
  });
  // Whoever named a provider on one end only wants that one, if it can be.
  const best = matches.find((match) => client.candidates.includes(match.candidate)) ?? matches[0];
  if (!best) return undefined;
  const { protocol } = best.candidate;
  const onPort = port === DEFAULT_PORT ? '' : ` --port ${port}`;
  return (
    `both ends have ${protocol}; server: \`fabric-pingpong serve${onPort} -p ${quoted(best.server.provider)}\`, ` +
    `client: \`fabric-pingpong ${host}${onPort} -p ${quoted(best.candidate.provider)}\``
  );
}

const quoted = (provider: string): string => (provider.includes(';') ? `"${provider}"` : provider);

import { hostOfDataAddress } from './data-address.js';
import type { Agreement } from './negotiate.js';
import type { Parameters } from './parameters.js';
import type { Candidate, Hello } from './protocol.js';
import type { EndDescription, Warning } from './result.js';

/**
 * A line for each provider that is better than the one used, and for efa in any case: it is what
 * people come for. Nothing where the user named the provider; nothing for shm between hosts.
 */
export function fallbackWarnings(
  { client, notUsed }: Agreement,
  candidates: readonly Candidate[],
  named: string | undefined,
): Warning[] {
  if (named !== undefined || client.provider === 'efa') return [];
  const better = candidates
    .slice(
      0,
      candidates.findIndex(({ provider }) => provider === client.provider),
    )
    .map(({ provider }) => provider)
    .filter((provider) => provider !== 'shm');
  return [...new Set(['efa', ...better])].map((provider) => {
    const reason = notUsed.find((other) => other.provider === provider)?.reason;
    return {
      code: 'FALLBACK',
      message: `${provider} not used: ${reason ?? 'this libfabric was built without it'}`,
    };
  });
}

/** A line for each end whose data leaves from another address than its control connection. */
export function addressWarnings(client: EndDescription, server: EndDescription): Warning[] {
  return Object.entries({ client, server }).flatMap(([name, end]): Warning[] => {
    const data = hostOfDataAddress(end.dataAddress);
    if (data === undefined || data === end.controlAddress) return [];
    return [
      {
        code: 'DATA_ADDRESS',
        message:
          `the ${name}'s data leaves from ${data} (${end.domain}), ` +
          `its control connection from ${end.controlAddress}`,
      },
    ];
  });
}

/** A line where both ends have one and the same processor: each waits while the other one runs. */
export function processorWarnings({ host: one }: Hello, { host: other }: Hello): Warning[] {
  const isSingle = one.processors !== null && /^\d+$/.test(one.processors);
  if (!isSingle || one.processors !== other.processors) return [];
  if (one.bootId === null || one.bootId !== other.bootId) return [];
  return [
    {
      code: 'ONE_PROCESSOR',
      message: `both ends share processor ${one.processors}: the figures show the scheduler, not the fabric`,
    },
  ];
}

/** A line where looking at the data costs time that the figures include. */
export function verifyWarnings({ verify }: Parameters): Warning[] {
  if (!verify) return [];
  return [{ code: 'VERIFIED', message: 'every message was compared with what was sent: the figures include that' }];
}

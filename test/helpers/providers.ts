/** The providers that a contract is tested over: those of the list that this machine has. */
import { FabricError, select, type Hints, type Info } from 'node-libfabric';
import { describe, it } from 'vitest';

/** Reliable datagrams on one machine, without special hardware. */
const ORDINARY = ['shm', 'net', 'tcp', 'tcp;ofi_rxm', 'udp;ofi_rxd', 'sockets'] as const;
export type Provider = (typeof ORDINARY)[number] | 'efa';

/** Whether this process has a software EFA device: npm run test:efa, which tests nothing else. */
export const isOnSoftwareEfa = process.env['SOFTEFA_DIR'] !== undefined;

export const PROVIDERS: readonly Provider[] = isOnSoftwareEfa ? ['efa'] : ORDINARY;

/** Those that write past the end of a multi-receive buffer, and are refused it: lib/untrusted-flags.ts. */
export const OVERRUNS_MULTI_RECEIVES: readonly Provider[] = ['shm', 'udp;ofi_rxd', 'sockets'];

/** Those that forget the immediate data of a message which came before its receive: efa keeps it, and does not say so. */
export const FORGETS_EARLY_DATA: readonly Provider[] = ['sockets', 'efa'];

/** Why a provider's peers must not be asked for memory with a key that is not known there. */
export const wrongKeysObstacle = (provider: Provider): string | false =>
  provider === 'efa' &&
  'libfabric (seen in 1.17, read in 2.1) follows a pointer that it has not set (efa_rdm_rma_verified_copy_iov)';

/** Immediate data that fills what a provider carries. */
export const dataOver = (provider: Provider): bigint => (provider === 'efa' ? 0xfedc_ba98n : 0xfedc_ba98_7654_3210n);

/** The loopback interface of a provider, or any that it has. @throws FabricError when it has none. */
export function infoOf(provider: string, hints?: Hints): Info {
  const { candidates, info } = select({ require: provider, hints });
  const isLoopback = (candidate: Info): boolean =>
    candidate.addrFormat === 'FI_SOCKADDR_IN' && candidate.srcAddr?.subarray(4, 8).join('.') === '127.0.0.1';
  return candidates.find(isLoopback) ?? info;
}

interface Found {
  readonly provider: Provider;
  readonly info?: Info;
  readonly missing?: string;
}

const found: readonly Found[] = PROVIDERS.map((provider) => {
  try {
    return { provider, info: infoOf(provider) };
  } catch (error) {
    if (!(error instanceof FabricError)) throw error;
    return { provider, missing: error.message };
  }
});

/** Those that can be opened here. */
export const availableProviders: readonly Provider[] = found.filter(({ info }) => info).map(({ provider }) => provider);

/** Describes the same behaviour over each provider; one that is missing is a skipped test with the reason in its name. */
export function overEachProvider(
  body: (info: Info, provider: Provider) => void,
  providers?: readonly Provider[],
): void {
  for (const { provider, info, missing } of found) {
    if (providers?.includes(provider) === false) continue;
    if (info === undefined) {
      it.skip(`over ${provider}: ${missing ?? ''}`);
    } else {
      describe(`over ${provider}`, () => {
        body(info, provider);
      });
    }
  }
}

/** A test, or a skipped one with the reason in its name. */
export function itUnless(
  reason: string | false,
  name: string,
  body: () => Promise<void> | void,
  timeout?: number,
): void {
  if (reason === false) it(name, body, timeout);
  else it.skip(`${name}: ${reason}`);
}

/** Flags that a provider takes, and then does harm with: refused before it sees them. */
import { ERRORS, OPERATION_FLAGS } from './constants.js';
import { fabricError } from './errors.js';
import type { Info } from './info.js';

interface Untrusted {
  readonly flag: 'FI_CLAIM' | 'FI_INJECT' | 'FI_MULTI_RECV' | 'FI_PEEK';
  readonly why: string;
  readonly isFor: (provider: string, apiVersion: string, fabric: string | undefined) => boolean;
}

const isRxd = (provider: string): boolean => provider.endsWith(';ofi_rxd');

const UNTRUSTED: readonly Untrusted[] = [
  { flag: 'FI_CLAIM', why: 'It loses other messages with the one that was claimed.', isFor: isRxd },
  { flag: 'FI_INJECT', why: 'Such an operation never completes; inject() and injectWrite() do.', isFor: isRxd },
  {
    // up to 2.6, when a message does not fit into what is left
    flag: 'FI_MULTI_RECV',
    why: 'It writes past the end of such buffers.',
    isFor: (provider) => isRxd(provider) || ['shm', 'sm2', 'sockets'].includes(provider),
  },
  {
    flag: 'FI_MULTI_RECV',
    why: 'It takes one message and keeps the rest of the buffer; the fabric efa has such receives.',
    isFor: (_provider, _apiVersion, fabric) => fabric === 'efa-direct',
  },
  {
    flag: 'FI_PEEK',
    why: 'It receives the message; libfabric 1.19 was the first to look only.',
    isFor: (provider, apiVersion) => provider === 'shm' && /^1\.1[0-8]$/.test(apiVersion),
  },
];

/** @throws FabricError `FI_EOPNOTSUPP` for a flag that the provider is not trusted with. */
export function checkTrusted({ fabricAttr }: Info, flags: bigint, syscall: string): void {
  const { provName = '', apiVersion, name: fabric } = fabricAttr;
  for (const { flag, why, isFor } of UNTRUSTED) {
    if ((flags & OPERATION_FLAGS[flag]) === 0n || !isFor(provName, apiVersion, fabric)) continue;
    throw fabricError(`${fabric === 'efa-direct' ? fabric : provName} is not trusted with ${flag}`, {
      errno: ERRORS.FI_EOPNOTSUPP,
      syscall,
      hint: why,
    });
  }
}

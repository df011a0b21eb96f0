/** How much the collectives of ofi_rxm can carry in one call. */
import type { Collective } from './collectives.js';
import { libraryEnvironment } from './library.js';

const DEFAULT_BUFFER_SIZE = 16384;

/**
 * A collective is made of messages, and never completes when one of them is longer than what ofi_rxm sends eagerly: a
 * rendezvous is not taken for a part of it (libfabric 1.17, prov/rxm).
 *
 * @param bytes - Of the buffer; for a scatter those of a share.
 * @throws RangeError for more than that.
 */
export function checkCarried(collective: Collective, bytes: number, members: number): void {
  const limit = bufferSize();
  const largest = bytes * longestMessage(collective, members);
  if (largest <= limit) return;
  const most = Math.floor((limit * bytes) / largest);
  throw new RangeError(
    `${collective === 'FI_SCATTER' ? 'result' : 'buffer'}: ${bytes} bytes are more than the ${most} that ${collective} of ` +
      `${members} members over ofi_rxm can carry, whose messages have at most ${limit} bytes (FI_OFI_RXM_BUFFER_SIZE); ` +
      'use several calls',
  );
}

/** The longest message, as a multiple of the bytes: prov/util/src/util_coll.c. */
function longestMessage(collective: Collective, members: number): number {
  if (members === 1) return 0;
  if (collective !== 'FI_SCATTER' && collective !== 'FI_BROADCAST') return 1;
  // Down a binomial tree each sends its children's shares on. A broadcast is a scatter of equal parts and their exchange.
  const half = 2 ** Math.floor(Math.log2(members - 1));
  const shares = Math.max(members - half, half / 2, 1);
  return collective === 'FI_SCATTER' ? shares : shares / members;
}

/** As the provider read it when libfabric was loaded. */
function bufferSize(): number {
  const value = Number(libraryEnvironment()['FI_OFI_RXM_BUFFER_SIZE'] ?? DEFAULT_BUFFER_SIZE);
  return Number.isInteger(value) && value > 0 ? value : DEFAULT_BUFFER_SIZE;
}

/** Which providers the cases mean, by names of their own: libfabric 2 calls tcp what was net before. */
import { FabricError, select } from 'node-libfabric';

/** @type {Record<string, { names: string[], domain: string }>} */
const fabrics = {
  shm: { names: ['shm'], domain: 'shm' },
  net: { names: ['net', 'tcp'], domain: 'lo' },
  rxm: { names: ['tcp;ofi_rxm'], domain: 'lo' },
};

/**
 * @param {string} fabric
 * @returns {{ provider: string, domain: string }}
 * @throws FabricError when this machine has none of its providers
 */
export function findProvider(fabric) {
  const known = fabrics[fabric];
  if (known === undefined) throw new TypeError(`fabric ${fabric} is none of ${Object.keys(fabrics).join(', ')}`);
  const { names, domain } = known;
  let failure;
  for (const provider of names) {
    try {
      select({ require: provider, hints: { domainAttr: { name: domain } } });
      return { provider, domain };
    } catch (error) {
      if (!(error instanceof FabricError)) throw error;
      failure ??= error;
    }
  }
  throw failure ?? new TypeError(`fabric ${fabric} has no providers`);
}

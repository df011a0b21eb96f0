/** Which providers the cases mean, by names of their own: libfabric 2 calls tcp what was net before. */
import { existsSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { FabricError, select } from 'node-libfabric';

/** @type {Record<string, { names: string[], domain: string }>} */
const fabrics = {
  shm: { names: ['shm'], domain: 'shm' },
  net: { names: ['net', 'tcp'], domain: 'lo' },
  rxm: { names: ['tcp;ofi_rxm'], domain: 'lo' },
};

/** The software EFA device of test/softefa, under libfabric's own efa provider: scripts/set-up.mjs --efa. */
const DEVICE = fileURLToPath(new URL('../../build/softefa', import.meta.url));
const DEVICE_FOLDER = `/dev/shm/softefa-bench-${process.pid}`;

/**
 * What the programs of a fabric have in their environment: where they find its device.
 *
 * @param {string | undefined} fabric
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentOf(fabric) {
  if (fabric !== 'efa') return {};
  return {
    LD_LIBRARY_PATH: [DEVICE, process.env['LD_LIBRARY_PATH'] ?? ''].filter((folder) => folder !== '').join(':'),
    SOFTEFA_DIR: DEVICE_FOLDER,
    SYSFS_PATH: `${DEVICE_FOLDER}/host-1`,
    // else the ends talk over shared memory, and the device has nothing to do
    FI_EFA_ENABLE_SHM_TRANSFER: '0',
  };
}

/** What the devices have left, when nobody uses them any more. */
export function removeDevices() {
  rmSync(DEVICE_FOLDER, { recursive: true, force: true });
}

/**
 * @param {string} fabric
 * @returns {{ provider: string, domain: string }}
 * @throws FabricError when this machine has none of its providers
 */
export function findProvider(fabric) {
  if (fabric === 'efa') {
    if (existsSync(`${DEVICE}/libibverbs.so.1`)) return { provider: 'efa', domain: 'rdmap0s6-rdm' };
    const message = 'there is no software EFA device; node scripts/set-up.mjs --efa builds it';
    throw new FabricError(message, { errno: constants.errno.ENODATA, syscall: 'fi_getinfo' });
  }
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

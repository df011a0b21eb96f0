/**
 * Asks libfabric, in a process of its own: a variable such as FI_EFA_MTU_SIZE makes libfabric end the process. Prints one
 * JSON object.
 */
import { readFileSync } from 'node:fs';
import { FabricError } from '../../errors.js';
import { getInfo, type Hints } from '../../info.js';
import { libraryInfo } from '../../library.js';
import type { EfaAnswer, LiveFacts } from '../host.js';

const MR_MODE = ['FI_MR_LOCAL', 'FI_MR_ALLOCATED', 'FI_MR_PROV_KEY', 'FI_MR_VIRT_ADDR'] as const;
const RDM: Hints = {
  mode: ['FI_CONTEXT', 'FI_CONTEXT2'],
  epAttr: { type: 'FI_EP_RDM' },
  domainAttr: { mrMode: MR_MODE },
};

function ask(hints: Hints): EfaAnswer {
  try {
    const infos = getInfo(hints).filter(({ fabricAttr }) => fabricAttr.provName === 'efa');
    const unique = (names: (string | undefined)[]): string[] => [
      ...new Set(names.filter((name) => name !== undefined)),
    ];
    return {
      domains: unique(infos.map(({ domainAttr }) => domainAttr.name)),
      fabrics: unique(infos.map(({ fabricAttr }) => fabricAttr.name)),
      ...(infos.length === 0 ? { error: 'FI_ENODATA' } : {}),
    };
  } catch (error) {
    return { domains: [], fabrics: [], error: error instanceof FabricError ? error.code : String(error) };
  }
}

function first(): string | undefined {
  try {
    return getInfo({ epAttr: { type: 'FI_EP_RDM' } })[0]?.fabricAttr.provName;
  } catch {
    return undefined;
  }
}

function answer(): LiveFacts {
  try {
    const { path, version } = libraryInfo();
    const efa: Hints = { ...RDM, fabricAttr: { provName: 'efa' } };
    const facts = {
      libraryPath: path,
      libraryVersion: version,
      efa: ask(efa),
      hmem: ask({
        ...efa,
        caps: ['FI_MSG', 'FI_HMEM'],
        domainAttr: { mrMode: [...MR_MODE, 'FI_MR_HMEM'] },
      }),
      first: first() ?? 'none',
    };
    const maps = readFileSync('/proc/self/maps', 'utf8');
    return { ...facts, mapped: [...new Set(maps.match(/\/\S*\/libfabric\.so[.\d]*/g))] };
  } catch (error) {
    return { failure: error instanceof Error ? error.message.split('\n')[0] : String(error) };
  }
}

process.stdout.write(JSON.stringify(answer()));

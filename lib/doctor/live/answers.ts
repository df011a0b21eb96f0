/**
 * Asks libfabric, in a process of its own: a variable such as FI_EFA_MTU_SIZE makes libfabric end the process. Prints one
 * JSON object.
 */
import { readFileSync } from 'node:fs';
import type { Hints } from '../../info.js';
import type { EfaAnswer, LiveFacts } from '../host.js';

const MR_MODE = ['FI_MR_LOCAL', 'FI_MR_ALLOCATED', 'FI_MR_PROV_KEY', 'FI_MR_VIRT_ADDR'] as const;
const RDM: Hints = {
  mode: ['FI_CONTEXT', 'FI_CONTEXT2'],
  epAttr: { type: 'FI_EP_RDM' },
  domainAttr: { mrMode: MR_MODE },
};
const EFA: Hints = { ...RDM, fabricAttr: { provName: 'efa' } };

type Library = typeof import('../../index.js');

const firstLine = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0]! : String(error));

function ask({ getInfo, FabricError }: Library, hints: Hints): EfaAnswer {
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
    return { domains: [], fabrics: [], error: error instanceof FabricError ? error.code : firstLine(error) };
  }
}

function first({ getInfo }: Library): string {
  try {
    return getInfo({ epAttr: { type: 'FI_EP_RDM' } })[0]?.fabricAttr.provName ?? 'none';
  } catch {
    return 'none';
  }
}

async function answer(): Promise<LiveFacts> {
  let library: Library;
  try {
    // an addon that does not load says nothing of libfabric
    library = await import('../../index.js');
  } catch (error) {
    return { notAsked: firstLine(error) };
  }
  try {
    const { path, version } = library.libraryInfo();
    const facts = {
      libraryPath: path,
      libraryVersion: version,
      efa: ask(library, EFA),
      hmem: ask(library, {
        ...EFA,
        caps: ['FI_MSG', 'FI_HMEM'],
        domainAttr: { mrMode: [...MR_MODE, 'FI_MR_HMEM'] },
      }),
      first: first(library),
    };
    const maps = readFileSync('/proc/self/maps', 'utf8');
    return { ...facts, mapped: [...new Set(maps.match(/\/\S*\/libfabric\.so[.\d]*/g))] };
  } catch (error) {
    return { failure: firstLine(error) };
  }
}

process.stdout.write(JSON.stringify(await answer()));

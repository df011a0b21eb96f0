/** The only file that loads the addon. */
import bindings from 'bindings';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** What is known of it before it is known to be the right one; lib/binding.ts has the rest. */
interface Addon {
  readonly version: string;
}

const ADDON = 'node_libfabric';
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Where the addon is, first hit wins: NODE_LIBFABRIC_ADDON; a development build (cmake-js); a prebuild of the package or
 * what its installation compiled. A development build comes before the last two, since only a checkout has one.
 */
function load(): Addon {
  const require = createRequire(import.meta.url);
  const chosen = process.env['NODE_LIBFABRIC_ADDON'];
  if (chosen !== undefined && chosen !== '') return require(chosen) as Addon;
  let development: Error;
  try {
    return bindings({
      bindings: ADDON,
      module_root: ROOT,
      try: [['module_root', 'build', 'dev', 'Release', 'bindings']],
    }) as Addon;
  } catch (error) {
    development = error as Error;
    // A build that is there but does not load is not passed over for another.
    if (!('tries' in development)) throw development;
  }
  try {
    return (require('node-gyp-build') as (root: string) => Addon)(ROOT);
  } catch (error) {
    const prebuilt = (error as Error).message.replaceAll('\n', '\n  ');
    throw new Error(
      `node-libfabric: no compiled addon for ${process.platform}-${process.arch}, Node ${process.version}.\n` +
        `Tried a development build:\n  ${(development as Error & { tries: string[] }).tries.join('\n  ')}\n` +
        `and a prebuild or an installed build:\n  ${prebuilt}\n` +
        'In a checkout run: npm run build. In a project: npm rebuild node-libfabric (compiling needs g++, make, ' +
        'python3 and libfabric-dev).',
      { cause: error },
    );
  }
}

/** The addon of this package's own version: a stale build has other functions than the code that calls it. */
export function loadAddon(): Addon {
  const addon = load();
  const own = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
  if (addon.version !== own.version) {
    throw new Error(
      `node-libfabric ${own.version} found an addon of version ${addon.version}. ` +
        'Compile it again: npm run build in a checkout, npm rebuild node-libfabric in a project.',
    );
  }
  return addon;
}

import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { findLibfabricHeaders } from '../libfabric-headers.mjs';
import { nodeHeadersEnvironment } from '../node-headers.mjs';
import { root, run } from './run.mjs';
import { stamped } from './stamped.mjs';

/**
 * The addon, built with cmake-js. Each kind has a folder of its own below build/, none of them
 * build/Release, which node-gyp-build would prefer to a prebuild.
 * @param {{ sanitize: boolean }} kind
 */
export function nativeBuild({ sanitize }) {
  const name = sanitize ? 'asan' : 'dev';
  const folder = `build/${name}`;
  return stamped({
    title: `compiling the addon${sanitize ? ' with sanitizers' : ''}`,
    name: `native-${name}`,
    inputs: ['native', 'CMakeLists.txt', 'package.json', 'package-lock.json'],
    environment: () => [root, process.version, compilerVersion(), findLibfabricHeaders()].join('\n'),
    outputs: () => [`${folder}/Release/node_libfabric.node`],
    async make() {
      if (isConfiguredElsewhere(folder)) rmSync(join(root, folder), { recursive: true });
      const sentence = `the addon did not compile (${folder})`;
      const cmakeJs = (/** @type {string[]} */ ...args) =>
        // make always: by default the choice hangs on whether ninja is there, and CMake refuses
        // a folder that it once configured for the other
        run(sentence, ['cmake-js', '--prefer-make', '--out', folder, ...args], nodeHeadersEnvironment());
      await cmakeJs('configure', `--CDSANITIZE=${sanitize ? 'ON' : 'OFF'}`);
      await cmakeJs('build', '--parallel', String(availableParallelism()));
    },
  });
}

function compilerVersion() {
  return spawnSync(process.env['CXX'] ?? 'c++', ['--version'], { encoding: 'utf8' }).stdout;
}

/**
 * CMake refuses a cache that was made at another path, as in a checkout that was moved.
 * @param {string} folder
 */
function isConfiguredElsewhere(folder) {
  try {
    const cache = readFileSync(join(root, folder, 'CMakeCache.txt'), 'utf8');
    return !cache.includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${root}\n`);
  } catch {
    return false;
  }
}

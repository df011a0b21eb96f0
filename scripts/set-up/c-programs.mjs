import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findLibfabricHeaders } from '../libfabric-headers.mjs';
import { root, run } from './run.mjs';
import { stamped } from './stamped.mjs';

// where the compiler looks anyway; named with -isystem it would come too early in the search
const systemHeaders = '/usr/include';

/**
 * C programs that use libfabric without Node: `sources`/NAME.c becomes `programs`/NAME.
 * @param {object} step
 * @param {string} step.title
 * @param {string} step.name of its stamp file
 * @param {string} step.sources a folder, relative to the root
 * @param {string} step.programs a folder, relative to the root
 */
export function cPrograms({ title, name, sources, programs }) {
  const names = () =>
    existsSync(join(root, sources))
      ? readdirSync(join(root, sources))
          .filter((file) => file.endsWith('.c'))
          .map((file) => basename(file, '.c'))
      : [];
  return stamped({
    title,
    name,
    inputs: [sources],
    environment: () => String(findLibfabricHeaders()),
    outputs: () => names().map((program) => `${programs}/${program}`),
    async make() {
      mkdirSync(join(root, programs), { recursive: true });
      for (const program of names()) {
        const source = `${sources}/${program}.c`;
        await run(`${source} did not compile`, [
          ...['cc', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror'],
          ...['-o', `${programs}/${program}`, source],
          ...libfabricFlags(),
        ]);
      }
    },
  });
}

function libfabricFlags() {
  const headers = findLibfabricHeaders() ?? systemHeaders;
  if (headers === systemHeaders) return ['-lfabric'];
  const libraries = ['lib', 'lib64'].map((folder) => join(dirname(headers), folder));
  return [
    ...['-isystem', headers],
    ...libraries.flatMap((folder) => [`-L${folder}`, `-Wl,-rpath,${folder}`]),
    '-lfabric',
  ];
}

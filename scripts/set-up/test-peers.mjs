import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findLibfabricHeaders } from '../libfabric-headers.mjs';
import { root, run } from './run.mjs';
import { stamped } from './stamped.mjs';

const sources = 'test/peers';
const programs = 'build/peers';
// where the compiler looks anyway; named with -isystem it would come too early in the search
const systemHeaders = '/usr/include';

const names = () =>
  existsSync(join(root, sources))
    ? readdirSync(join(root, sources))
        .filter((file) => file.endsWith('.c'))
        .map((file) => basename(file, '.c'))
    : [];

/** The C programs that tests talk to: test/peers/NAME.c becomes build/peers/NAME. */
export const testPeers = stamped({
  title: 'compiling the C peers of the tests',
  name: 'test-peers',
  inputs: [sources],
  environment: () => String(findLibfabricHeaders()),
  outputs: () => names().map((name) => `${programs}/${name}`),
  async make() {
    mkdirSync(join(root, programs), { recursive: true });
    for (const name of names()) {
      const source = `${sources}/${name}.c`;
      await run(`${source} did not compile`, [
        ...['cc', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror'],
        ...['-o', `${programs}/${name}`, source],
        ...libfabricFlags(),
      ]);
    }
  },
});

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

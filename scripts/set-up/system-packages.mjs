import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findLibfabricHeaders, prefixes } from '../libfabric-headers.mjs';
import { SetUpError, isInstalled, run } from './run.mjs';
import { efaHeader } from './software-efa.mjs';

/** @typedef {{ package: string, isPresent: () => boolean }} Need */

/**
 * @param {string} debianPackage
 * @param {string} name
 * @param {string[]} [alsoIn]
 * @returns {Need}
 */
const program = (debianPackage, name, alsoIn) => ({
  package: debianPackage,
  isPresent: () => isInstalled(name, alsoIn),
});

const libfabricPrograms = prefixes.map((prefix) => join(prefix, 'bin'));

/** What each kind of work needs from the system, by the name of Debian's package. */
export const needs = {
  build: [
    program('g++', 'c++'),
    program('make', 'make'),
    program('cmake', 'cmake'),
    { package: 'libfabric-dev', isPresent: () => findLibfabricHeaders() !== undefined },
    { package: 'libfabric1', isPresent: hasLibfabric },
    program('libfabric-bin', 'fi_info', libfabricPrograms),
    program('libfabric-bin', 'fi_pingpong', libfabricPrograms),
  ],
  test: [
    program('gcc', 'cc'),
    program('iproute2', 'ip', ['/sbin', '/usr/sbin']),
    // shows the reports in light and in dark
    program('chromium', 'chromium'),
    program('man-db', 'man'),
    program('zsh', 'zsh'),
    program('fish', 'fish'),
  ],
  efa: [program('gcc', 'cc'), { package: 'libibverbs-dev', isPresent: () => existsSync(efaHeader) }],
  bench: [program('gcc', 'cc'), program('util-linux', 'taskset')],
  profile: [program('valgrind', 'valgrind')],
  gyp: [program('python3', 'python3')],
  lint: [program('clang-format', 'clang-format')],
};

/**
 * @param {Need[]} wanted
 * @returns {import('./stamped.mjs').Step}
 */
export function systemPackages(wanted) {
  const missing = () => [...new Set(wanted.filter((need) => !need.isPresent()).map((need) => need.package))];
  return {
    title: 'installing system packages',
    isDone: () => missing().length === 0,
    prepare: () => assertInstallable(missing()),
    make: () => install(missing()),
  };
}

const isRoot = process.getuid?.() === 0;
const byHand = (/** @type {string[]} */ packages) =>
  `sudo apt-get update && sudo apt-get install -y ${packages.join(' ')}`;

/** @param {string[]} packages */
async function assertInstallable(packages) {
  if (!isInstalled('apt-get')) {
    const names = packages.join(', ');
    throw new SetUpError(
      `install what Debian calls ${names} with this system's package manager, then run the same command again`,
    );
  }
  if (isRoot) return;
  const sentence = `system packages are missing; run: ${byHand(packages)}`;
  await run(sentence, ['sudo', '-n', 'true']).catch(() => {
    // without sudo's own complaint about a password, which would only hide the line that helps
    throw new SetUpError(sentence);
  });
}

/** @param {string[]} packages */
async function install(packages) {
  const apt = [
    ...(isRoot ? [] : ['sudo', '-n']),
    ...['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=120'],
  ];
  await run('apt-get update failed; is the network up?', [...apt, 'update']);
  await run(`apt-get could not install the packages; by hand: ${byHand(packages)}`, [
    ...apt,
    ...['install', '-y', '--no-install-recommends', ...packages],
  ]);
}

function hasLibfabric() {
  const folders = [
    ...(process.env['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== ''),
    ...prefixes.flatMap((prefix) => [join(prefix, 'lib'), join(prefix, 'lib64')]),
    // Debian keeps libraries in a folder per architecture
    ...readdirSync('/usr/lib')
      .filter((name) => name.endsWith('-linux-gnu'))
      .map((name) => join('/usr/lib', name)),
  ];
  return folders.some((folder) => existsSync(join(folder, 'libfabric.so.1')));
}

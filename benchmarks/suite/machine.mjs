/** Where results come from. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem } from 'node:os';
import { libraryInfo } from 'node-libfabric';

/** @returns {import('./types.js').Report['machine']} */
export function describeMachine() {
  const [load = 0] = loadavg();
  return {
    cpu: cpus()[0]?.model ?? '',
    processors: cpus().length,
    memoryGigabytes: Math.round(totalmem() / 1e9),
    arch: arch(),
    kernel: release(),
    // What else ran when the measurement began: nothing should.
    loadBefore: Math.round(load * 100) / 100,
  };
}

/** @param {string} folder relative to the root @returns {string | undefined} */
function packageVersion(folder) {
  const file = new URL(`../../${folder}package.json`, import.meta.url);
  if (!existsSync(file)) return undefined;
  /** @type {{ version: string }} */
  const { version } = JSON.parse(readFileSync(file, 'utf8'));
  return version;
}

const PEERS = ['zeromq', 'ws', '@grpc/grpc-js'];

/** @returns {import('./types.js').Report['versions']} */
export function describeVersions() {
  const cwd = new URL('../..', import.meta.url);
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd, encoding: 'utf8' });
  const versions = {
    'node-libfabric': packageVersion(''),
    ...(commit.status === 0 && { commit: commit.stdout.trim() }),
    node: process.version,
    libfabric: libraryInfo().version,
    ...Object.fromEntries(PEERS.map((name) => [name, packageVersion(`benchmarks/peers/node_modules/${name}/`)])),
  };
  /** @type {Record<string, string>} */
  const known = {};
  for (const [name, version] of Object.entries(versions)) {
    if (typeof version === 'string') known[name] = version;
  }
  return known;
}

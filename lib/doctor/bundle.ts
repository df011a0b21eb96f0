/** A copy of what was read of this machine, which another machine can examine. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { OVERLAY, type LiveHost } from './host.js';

const run = promisify(execFile);

/** Variables that decide about transports; no other leaves the machine. */
const KEPT =
  /^(FI_|NCCL_|OFI_NCCL_|OMPI_MCA_|RDMAV_|IBV_|LD_LIBRARY_PATH$|LD_PRELOAD$|KUBERNETES_SERVICE_HOST$|ENROOT_VERSION$|ECS_CONTAINER_METADATA_URI_V4$)/;

/** Writes what an examination has read to OUT.tar.gz. Returns the names of the variables that are in it. */
export async function writeBundle(host: LiveHost, file: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fabric-doctor-'));
  try {
    const kept = Object.entries(host.environment).filter(([name]) => KEPT.test(name));
    writeTree(folder, host, kept);
    await run('tar', ['-czf', resolve(file), '-C', folder, '.']);
    return kept.map(([name]) => name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeTree(folder: string, host: LiveHost, environment: readonly [string, string][]): void {
  const place = (path: string): string => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    return file;
  };
  const accessed = [...host.files.accessed];
  // links first: a file that was reached by one is accessed by its real path, too
  for (const [path, access] of accessed) if (access.kind === 'link') symlinkSync(access.target, place(path));
  for (const [path, access] of accessed) {
    if (access.kind === 'file') writeFileSync(place(path), withoutSecrets(path, access.bytes));
    if (access.kind !== 'folder') continue;
    mkdirSync(join(folder, path), { recursive: true });
    for (const { name, isFolder } of access.entries) {
      const entry = join(path, name);
      if (isFolder) mkdirSync(join(folder, entry), { recursive: true });
      else if (!host.files.accessed.has(entry)) writeFileSync(place(entry), '');
    }
  }
  const overlay = {
    env: environment.map(([name, value]) => `${name}=${value}\n`).join(''),
    'open.json': JSON.stringify(Object.fromEntries(host.opened)),
    'uname.json': JSON.stringify({ machine: host.machine, release: host.kernel }),
    ...(host.live === undefined ? {} : { 'live.json': JSON.stringify(host.live) }),
  };
  for (const [name, text] of Object.entries(overlay)) writeFileSync(place(`${OVERLAY}/${name}`), text);
}

/** Options of other mounts can have passwords. */
function withoutSecrets(path: string, bytes: Buffer): Buffer {
  if (!path.endsWith('/mounts')) return bytes;
  const lines = bytes.toString('utf8').split('\n');
  return Buffer.from(lines.filter((line) => line.split(' ')[1] === '/dev/shm').join('\n'));
}

/** Unpacks a bundle for the time of `use`. */
export async function withBundle<T>(file: string, use: (root: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'fabric-doctor-'));
  try {
    // tar takes neither absolute names nor those that lead out
    await run('tar', ['-xzf', resolve(file), '-C', folder, '--no-same-owner', '--no-same-permissions']);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

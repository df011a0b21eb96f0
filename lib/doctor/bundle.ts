/** A copy of what was read of this machine, which another machine can examine. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { OVERLAY, type LiveHost } from './host.js';
import { withoutSecrets } from './survey/mounts.js';

const run = promisify(execFile);

/** By its real path: `self` is a link. */
const isMounts = (path: string): boolean => path.startsWith('/proc/') && path.endsWith('/mounts');

/** Variables that decide about transports; no other leaves the machine. */
const KEPT = new RegExp(
  [
    '^(FI_(PROVIDER|EFA_|HMEM|LOG_|TCP_|SHM_|PREFER_SYSCONFIG$)|OFI_NCCL_|RDMAV_|IBV_|OMPI_MCA_(pml|btl|mtl)',
    '|NCCL_(NET|IB_|P2P_|SHM_|PROTO$|DEBUG$|SOCKET_IFNAME$)|LD_LIBRARY_PATH$|LD_PRELOAD$)',
  ].join(''),
);
/** Signs of a container: that they are set matters, not to what. */
const SIGNS = /^(KUBERNETES_SERVICE_HOST$|ECS_CONTAINER_METADATA_URI_V4$|ENROOT_)/;

/**
 * Writes what an examination has read to OUT.tar.gz. Returns the names of the variables that are in it.
 *
 * @throws what copyFileSync() says of the file.
 */
export async function writeBundle(host: LiveHost, file: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fabric-doctor-'));
  const [tree, archive] = [join(folder, 'tree'), join(folder, 'tree.tar.gz')];
  try {
    const kept = Object.entries(host.environment).flatMap(([name, value]): [string, string][] =>
      KEPT.test(name) ? [[name, value]] : SIGNS.test(name) ? [[name, '(set)']] : [],
    );
    writeTree(tree, host, kept);
    await run('tar', ['-czf', archive, '-C', tree, '.']);
    copyFileSync(archive, file);
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
    if (access.kind === 'file')
      writeFileSync(place(path), isMounts(path) ? withoutSecrets(String(access.bytes)) : access.bytes);
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

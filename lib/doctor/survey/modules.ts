/** Kernel modules: loaded, installed, built. */
import type { Host } from '../host.js';
import { compareVersions } from './version.js';

/** What is known of the kernel's side of EFA. */
export interface Modules {
  isLoaded(name: string): boolean;
  /** Of the running driver; undefined for one that came with the kernel. */
  readonly running: string | undefined;
  /** Sources that DKMS builds from, newest first. */
  readonly sources: readonly string[];
  /** efa.ko for the running kernel. */
  readonly built: readonly string[];
}

export function readModules({ files, kernel }: Host): Modules {
  const loaded = new Set((files.text('/proc/modules') ?? '').split('\n').map((line) => line.split(' ')[0]!));
  const release = kernel ?? '';
  const built = ['updates/dkms', 'extra', 'weak-updates', 'weak-updates/efa', 'kernel/drivers/infiniband/hw/efa']
    .filter(() => release !== '')
    .flatMap((folder) =>
      files
        .list(`/lib/modules/${release}/${folder}`, /^efa\.ko(\.\w+)?$/)
        .map((name) => `/lib/modules/${release}/${folder}/${name}`),
    );
  return {
    // what is built into the kernel is not in /proc/modules
    isLoaded: (name) => loaded.has(name) || files.exists(`/sys/module/${name}`),
    running: files.text('/sys/module/efa/version'),
    sources: files
      .list('/usr/src', /^efa-\d/)
      .map((name) => name.slice('efa-'.length))
      .sort(compareVersions)
      .reverse(),
    built,
  };
}

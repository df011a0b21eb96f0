import { readdirSync } from 'node:fs';

/** @internal Where the kernel shows its devices; SYSFS_PATH says so to libibverbs and libfabric too. */
export const sysfs = (): string => process.env['SYSFS_PATH'] ?? '/sys';

/** @internal What a folder has; nothing where there is none. */
export const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

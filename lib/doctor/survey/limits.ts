/** Limits of this process and of the machine. */
import type { Host } from '../host.js';

/** In bytes and counts; Infinity where there is no limit, undefined where it is not known. */
export interface Limits {
  readonly lockedMemory: number | undefined;
  readonly openFiles: number | undefined;
  readonly hugePages: number | undefined;
  readonly hugePageBytes: number | undefined;
  readonly cores: number | undefined;
  readonly sharedMemory: number | undefined;
  readonly ptraceScope: string | undefined;
}

export const LIMITS = '/proc/self/limits';
const UNITS: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

export function readLimits({ files }: Host): Limits {
  const limits = files.text(LIMITS) ?? '';
  const softLimit = (name: string): number | undefined => {
    const value = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(limits)?.[1];
    if (value === undefined) return undefined;
    return value === 'unlimited' ? Infinity : Number(value);
  };
  const memory = files.text('/proc/meminfo') ?? '';
  const ofMemory = (name: string): number | undefined => {
    const value = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(memory)?.[1];
    return value === undefined ? undefined : Number(value);
  };
  const pageKilobytes = ofMemory('Hugepagesize');
  const online = files.text('/sys/devices/system/cpu/online');
  return {
    lockedMemory: softLimit('Max locked memory'),
    openFiles: softLimit('Max open files'),
    hugePages: ofMemory('HugePages_Total'),
    hugePageBytes: pageKilobytes === undefined ? undefined : pageKilobytes * 1024,
    cores: online === undefined ? undefined : countCores(online),
    sharedMemory: sharedMemory(files.text('/proc/self/mounts') ?? ''),
    ptraceScope: files.text('/proc/sys/kernel/yama/ptrace_scope'),
  };
}

/** `0-3,8` is five. */
function countCores(list: string): number {
  return list
    .split(',')
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0);
}

function sharedMemory(mounts: string): number | undefined {
  const options = /^\S+ \/dev\/shm \S+ (\S+)/m.exec(mounts)?.[1];
  const size = /(?:^|,)size=(\d+)([kmg]?)/i.exec(options ?? '');
  return size === null ? undefined : Number(size[1]) * (UNITS[size[2]!.toLowerCase()] ?? 1);
}

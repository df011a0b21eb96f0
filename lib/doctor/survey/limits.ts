/** Limits of this process and of the machine. */
import type { Host } from '../host.js';

/** In bytes and counts; Infinity where there is no limit, undefined where it is not known. */
export interface Limits {
  readonly lockedMemory: number | undefined;
  /** This process has CAP_IPC_LOCK, which lifts that limit for it. */
  readonly mayLockAll: boolean;
  readonly openFiles: number | undefined;
  readonly hugePages: number | undefined;
  readonly hugePageBytes: number | undefined;
  readonly cores: number | undefined;
  readonly ptraceScope: string | undefined;
}

export const LIMITS = '/proc/self/limits';
const CAP_IPC_LOCK = 14n;

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
    mayLockAll: hasCapability(files.text('/proc/self/status') ?? '', CAP_IPC_LOCK),
    openFiles: softLimit('Max open files'),
    hugePages: ofMemory('HugePages_Total'),
    hugePageBytes: pageKilobytes === undefined ? undefined : pageKilobytes * 1024,
    cores: online === undefined ? undefined : countCores(online),
    ptraceScope: files.text('/proc/sys/kernel/yama/ptrace_scope'),
  };
}

function hasCapability(status: string, capability: bigint): boolean {
  const mask = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> capability) & 1n) === 1n;
}

/** `0-3,8` is five. */
function countCores(list: string): number {
  return list
    .split(',')
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0);
}

/** The device behind an interface: what libfabric says of it (fi_nic(3)), and what the kernel says in /sys. */
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Info } from '../info.js';

/** Where a device is, and what drives it; a field is absent where nobody says. */
export interface InterfaceDevice {
  /** The name in the kernel: `eth0`, `rdmap0s6`. */
  readonly name?: string;
  /** `0000:00:06.0` */
  readonly pci?: string;
  /** The NUMA node; absent where the machine has one only, or the kernel does not know. */
  readonly numa?: number;
  readonly driver?: string;
  /** In bits a second. */
  readonly speed?: number;
  readonly mtu?: number;
  readonly state?: string;
}

const CLASSES = ['net', 'infiniband'];

/** The device of an interface, undefined where there is none, as for shm or lo. */
export function deviceOf({ nic, domainAttr }: Info, sys = '/sys'): InterfaceDevice | undefined {
  const name = nic?.deviceAttr.name ?? deviceName(domainAttr.name, sys);
  const { busType, domainId, busId, deviceId, functionId } = nic?.busAttr ?? {};
  const told = busType === 'FI_BUS_PCI' ? pciAddress(domainId!, busId!, deviceId!, functionId!) : undefined;
  const folder = told === undefined ? deviceFolder(name, sys) : join(sys, 'bus/pci/devices', told);
  const pci = told ?? (folder === undefined ? undefined : pciOf(folder));
  const numa = folder === undefined ? undefined : readNumber(join(folder, 'numa_node'));
  const driver = nic?.deviceAttr.driver ?? (folder === undefined ? undefined : target(join(folder, 'driver')));
  const speed = nic?.linkAttr.speed ?? linkSpeed(name, sys);
  const mtu = nic?.linkAttr.mtu ?? (name === undefined ? undefined : readNumber(join(sys, 'class/net', name, 'mtu')));
  const state = nic?.linkAttr.state;
  const device = {
    ...(name !== undefined && { name }),
    ...(pci !== undefined && { pci }),
    ...(numa !== undefined && numa >= 0 && { numa }),
    ...(driver !== undefined && { driver }),
    ...(speed !== undefined && speed > 0 && { speed }),
    ...(mtu !== undefined && mtu > 0 && { mtu }),
    ...(state !== undefined && { state: String(state) }),
  };
  return Object.keys(device).length > 0 ? device : undefined;
}

/** A domain is called as its device, or as that with the kind of endpoint after it (`rdmap0s6-rdm`). */
function deviceName(domain: string | undefined, sys: string): string | undefined {
  if (domain === undefined) return undefined;
  const names = CLASSES.flatMap((kind) => list(join(sys, 'class', kind)));
  return names.find((name) => domain === name) ?? names.find((name) => domain.startsWith(`${name}-`));
}

function deviceFolder(name: string | undefined, sys: string): string | undefined {
  if (name === undefined) return undefined;
  for (const kind of CLASSES) {
    try {
      return realpathSync(join(sys, 'class', kind, name, 'device'));
    } catch {
      // Not of this class, or not a device but software, as lo is.
    }
  }
  return undefined;
}

/** The PCI function that a folder of /sys is, or is below of: a virtio device is. */
function pciOf(folder: string): string | undefined {
  return folder.split('/').findLast((part) => /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(part));
}

function pciAddress(domain: number, bus: number, device: number, fn: number): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(device, 2)}.${fn}`;
}

function linkSpeed(name: string | undefined, sys: string): number | undefined {
  const megabits = name === undefined ? undefined : readNumber(join(sys, 'class/net', name, 'speed'));
  return megabits === undefined ? undefined : megabits * 1e6;
}

function readNumber(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'latin1').trim());
  } catch {
    return undefined;
  }
}

function target(link: string): string | undefined {
  try {
    return basename(realpathSync(link));
  } catch {
    return undefined;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

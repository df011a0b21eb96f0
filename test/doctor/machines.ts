/**
 * Machines as data: files and links by their paths. Values of sysfs and PCI addresses are those of real nodes where such are
 * public (hwloc dumps of ai-dynamo/nixl, issues of amzn-drivers and rdma-core); the rest is rebuilt from the kernel's code.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { elfFile, type ElfOptions } from './elf-file.js';

export interface Link {
  readonly link: string;
}
export type Files = Record<string, string | Buffer | Link | undefined>;

/** Changes to a machine: paths to put, or to take away with everything below where undefined. */
export interface Machine {
  readonly files: Files;
  readonly environment: Record<string, string>;
  /** What opening a device says. */
  readonly open: Record<string, string>;
}

const range = (buses: string, slot: string): string[] => buses.split(' ').map((bus) => `0000:${bus}:${slot}.0`);

export const TYPES = {
  'p4d.24xlarge': { id: '0xefa0', at: range('10 20 90 a0', '1b') },
  'p5.48xlarge': {
    id: '0xefa1',
    at: range('4f 50 51 52 60 61 62 63 71 72 73 74 82 83 84 85 93 94 95 96 a4 a5 a6 a7 b5 b6 b7 b8 c6 c7 c8 c9', '00'),
  },
  'p5en.48xlarge': { id: '0xefa2', at: range('55 56 57 58 6e 6f 70 71 87 88 89 8a a0 a1 a2 a3', '00') },
  'p6-b200.48xlarge': { id: '0xefa3', at: range('4f 50 60 61 71 72 84 85', '00') },
  'g5.48xlarge': { id: '0xefa0', at: range('00', '1d') },
} as const;
export type Type = keyof typeof TYPES;

export const EFA_LIB = '/opt/amazon/efa/lib';
export const DISTRIBUTION = '/usr/lib/x86_64-linux-gnu';
const LIBC = ['GLIBC_2.2.5', 'GLIBC_2.17', 'GLIBC_2.34', 'GLIBC_2.35'];

/** A library at a path, with the links by which it is found. */
export function library(path: string, options: ElfOptions): Files {
  const link = `${dirname(path)}/${options.soname ?? ''}`;
  return {
    [path]: elfFile(options),
    ...(options.soname === undefined || link === path ? {} : { [link]: { link: path } }),
  };
}

export const libfabric = (folder: string, minor: number, options: ElfOptions = {}): Files =>
  library(`${folder}/libfabric.so.1.${minor}.0`, {
    soname: 'libfabric.so.1',
    needed: ['libefa.so.1', 'libibverbs.so.1', 'libc.so.6'],
    defines: ['FABRIC_1.0', 'FABRIC_1.7'],
    requires: { 'libefa.so.1': ['EFA_1.2'], 'libc.so.6': ['GLIBC_2.34'] },
    texts: ['FI_EFA_IFACE'],
    ...options,
  });

export const plugin = (folder: string, options: ElfOptions = {}): Files => ({
  ...library(`${folder}/libnccl-net-ofi.so`, {
    needed: ['libfabric.so.1', 'libc.so.6'],
    requires: { 'libfabric.so.1': ['FABRIC_1.7'], 'libc.so.6': ['GLIBC_2.34'] },
    texts: ['NET/OFI Initializing aws-ofi-nccl 1.18.0', 'Plugin selected platform: AWS'],
    ...options,
  }),
  [`${folder}/libnccl-net.so`]: { link: 'libnccl-net-ofi.so' },
});

/** rdma-core of a release, with what it has. */
export const rdmaCore = (folder: string, release: number, { efa = 4, abi = 59 } = {}): Files => ({
  ...library(`${folder}/libibverbs.so.1.14.${release}.0`, {
    soname: 'libibverbs.so.1',
    needed: ['libc.so.6'],
    defines: ['IBVERBS_1.0', `IBVERBS_PRIVATE_${abi}`],
  }),
  ...library(`${folder}/libefa.so.1.4.${release}.0`, {
    soname: 'libefa.so.1',
    needed: ['libibverbs.so.1'],
    defines: Array.from({ length: efa + 1 }, (_, minor) => `EFA_1.${minor}`),
    requires: { 'libibverbs.so.1': [`IBVERBS_PRIVATE_${abi}`] },
  }),
  [`${folder}/libibverbs/libefa-rdmav${abi}.so`]: { link: `../libefa.so.1.4.${release}.0` },
  '/etc/libibverbs.d/efa.driver': 'driver efa\n',
});

const RECORD = `# EFA installer version: 1.47.0
# Debug packages installed: no
# Packages installed:
efa-config_1.18_all efa-profile_1.7_all libfabric-aws-bin_2.4.0amzn1.0_amd64 libfabric-aws-dev_2.4.0amzn1.0_amd64 libfabric1-aws_2.4.0amzn1.0_amd64 libnccl-ofi_1.18.0-1_amd64 openmpi40-aws_4.1.7-3_amd64 openmpi50-aws_5.0.9amzn1-11_amd64 ibverbs-utils_61.0-1_amd64 libibverbs1_61.0-1_amd64 rdma-core_61.0-1_amd64 efa_3.0.0-1.amzn1_amd64
`;

const nameOf = (address: string): string => {
  const [, bus, slot] = /^0000:(..):(..)\.0$/.exec(address)!;
  return `rdmap${parseInt(bus!, 16)}s${parseInt(slot!, 16)}`;
};

/** An RDMA device: PCI function, its class entries, its node. */
export function rdmaDevice(
  address: string,
  id: string,
  number: number,
  name = nameOf(address),
  vendor = '0x1d0f',
): Files {
  const pci = `/sys/devices/pci0000:${address.slice(5, 7)}/${address}`;
  const driver = vendor === '0x1d0f' ? 'efa' : 'mlx5_core';
  const counters = `/sys/class/infiniband/${name}/ports/1/hw_counters`;
  return {
    [`/sys/bus/pci/devices/${address}`]: { link: `../../../devices/pci0000:${address.slice(5, 7)}/${address}` },
    [`${pci}/vendor`]: `${vendor}\n`,
    [`${pci}/device`]: `${id}\n`,
    [`${pci}/class`]: '0x020000\n',
    [`${pci}/numa_node`]: `${number % 2}\n`,
    [`${pci}/driver`]: { link: `/sys/bus/pci/drivers/${driver}` },
    [`/sys/bus/pci/drivers/${driver}/new_id`]: '',
    ...(driver === 'efa' ? { [`${pci}/p2p`]: 'NVIDIA\n' } : {}),
    [`/sys/class/infiniband/${name}/device`]: { link: pci },
    [`/sys/class/infiniband/${name}/node_type`]: '7: <unknown>\n',
    [`${counters}/tx_bytes`]: '1000\n',
    [`${counters}/rx_bytes`]: '2000\n',
    [`/sys/class/infiniband_verbs/uverbs${number}/ibdev`]: `${name}\n`,
    [`/sys/class/infiniband_verbs/uverbs${number}/dev`]: `231:${192 + number}\n`,
    [`/dev/infiniband/uverbs${number}`]: '',
  };
}

function gpu(number: number): Files {
  const address = `0000:${(0x40 + number).toString(16)}:00.0`;
  const pci = `/sys/devices/pci0000:40/${address}`;
  return {
    [`/sys/bus/pci/devices/${address}`]: { link: pci },
    [`${pci}/vendor`]: '0x10de\n',
    [`${pci}/device`]: '0x2330\n',
    [`${pci}/class`]: '0x030200\n',
    [`${pci}/numa_node`]: '0\n',
  };
}

/** A node on which all is as it should be. */
export function healthy(type: Type): Machine {
  const { id, at } = TYPES[type];
  const hasPeerToPeer = !type.startsWith('g5');
  const devices = at.map((address, index) => {
    const files = rdmaDevice(address, id, index);
    const p2p = Object.keys(files).find((path) => path.endsWith('/p2p'))!;
    return hasPeerToPeer ? files : { ...files, [p2p]: '\n' };
  });
  return {
    files: [
      {
        '/sys/devices/virtual/dmi/id/sys_vendor': 'Amazon EC2\n',
        '/sys/devices/virtual/dmi/id/product_name': `${type}\n`,
        '/sys/devices/virtual/dmi/id/board_asset_tag': 'i-0123456789abcdef0\n',
        '/sys/class/infiniband_verbs/abi_version': '6\n',
        '/sys/module/efa/version': '3.0.0g\n',
        '/proc/modules':
          'efa 151552 0 - Live 0x0\nib_uverbs 200704 1 efa, Live 0x0\nib_core 520192 2 efa,ib_uverbs, Live 0x0\n',
        '/proc/meminfo': 'MemTotal: 2000000000 kB\nHugePages_Total: 5128\nHugepagesize: 2048 kB\n',
        '/proc/self/limits':
          'Limit                     Soft Limit           Hard Limit           Units\nMax locked memory         unlimited            unlimited            bytes\nMax open files            8192                 8192                 files\n',
        '/proc/self/mounts': 'tmpfs /dev/shm tmpfs rw,nosuid,nodev,size=1000000000k 0 0\n',
        '/proc/sys/kernel/osrelease': '6.8.0-1021-aws\n',
        '/proc/sys/kernel/yama/ptrace_scope': '0\n',
        '/proc/driver/nvidia/version': 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05\n',
        '/opt/amazon/efa_installed_packages': RECORD,
        '/opt/amazon/openmpi/bin/mpirun': '',
        '/etc/ld.so.conf': 'include /etc/ld.so.conf.d/*.conf\n',
        '/etc/ld.so.conf.d/000_efa.conf': `${EFA_LIB}\n`,
        '/etc/ld.so.conf.d/100_ofinccl.conf': '/opt/amazon/ofi-nccl/lib\n',
      } satisfies Files,
      library(`${DISTRIBUTION}/libc.so.6`, { soname: 'libc.so.6', defines: LIBC }),
      rdmaCore(DISTRIBUTION, 61),
      libfabric(EFA_LIB, 30),
      plugin('/opt/amazon/ofi-nccl/lib'),
      ...Array.from({ length: 8 }, (_, index) => gpu(index)),
      ...devices,
    ].reduce<Files>((all, some) => ({ ...all, ...some }), {}),
    environment: {},
    open: Object.fromEntries(at.map((_, index) => [`/dev/infiniband/uverbs${index}`, 'ok'])),
  };
}

/** Signs of docker or Kubernetes. */
export const inDocker: Files = { '/.dockerenv': '' };
export const inKubernetes = { KUBERNETES_SERVICE_HOST: '10.100.0.1' };

/** A machine with changes; `without` takes away paths and what is below. */
export function changed(
  machine: Machine,
  {
    files = {},
    environment = {},
    open = {},
    without = [] as readonly string[],
  }: Partial<Machine> & { without?: readonly string[] },
): Machine {
  const kept = Object.entries(machine.files).filter(
    ([path]) => !without.some((gone) => path === gone || path.startsWith(`${gone}/`)),
  );
  return {
    files: { ...Object.fromEntries(kept), ...files },
    environment: { ...machine.environment, ...environment },
    open: { ...machine.open, ...open },
  };
}

/** Hundreds of small files a machine. */
const IN_MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A temporary folder, gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(IN_MEMORY, 'fabric-doctor-'));
  folders.push(folder);
  return folder;
}

/** Writes a machine to a folder that --root can examine. */
export function write({ files, environment, open }: Machine): string {
  const root = temporaryFolder();
  const all: Files = {
    ...files,
    '/.fabric-doctor/env': Object.entries(environment)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
    '/.fabric-doctor/open.json': JSON.stringify(open),
    '/.fabric-doctor/uname.json': JSON.stringify({ machine: 'x86_64' }),
  };
  const made = new Set<string>();
  for (const [path, content] of Object.entries(all)) {
    if (content === undefined) continue;
    const file = join(root, path);
    if (!made.has(dirname(file))) mkdirSync(dirname(file), { recursive: true });
    made.add(dirname(file));
    if (typeof content === 'object' && 'link' in content) symlinkSync(content.link, file);
    else writeFileSync(file, content);
  }
  return root;
}

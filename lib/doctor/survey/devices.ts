/** Network cards and accelerators as PCI and the RDMA core show them: by numbers, never by names. */
import { basename } from 'node:path';
import type { Host } from '../host.js';

/** A PCI function. */
export interface PciFunction {
  /** E.g. `0000:4f:00.0`. */
  readonly address: string;
  readonly vendor: number;
  readonly device: number;
  readonly driver: string | undefined;
  readonly numa: number | undefined;
  /** Its place in the tree of /sys/devices. */
  readonly path: string;
}

/** A device of the RDMA core. */
export interface RdmaDevice {
  readonly name: string;
  readonly address: string;
  readonly isEfa: boolean;
  /** E.g. `uverbs0`; undefined where ib_uverbs shows none. */
  readonly uverbs: string | undefined;
  /** E.g. `231:192`. */
  readonly number: string | undefined;
  /** Which memory of accelerators it can reach: the file `p2p`, or `gdr` of older drivers. */
  readonly peerToPeer: string | undefined;
  readonly peerToPeerFile: string;
}

/** All of them. */
export interface Devices {
  readonly efa: readonly PciFunction[];
  readonly gpus: readonly PciFunction[];
  readonly rdma: readonly RdmaDevice[];
  /** The interface between libibverbs and the kernel; 6 since 2005. */
  readonly abi: string | undefined;
}

export const PCI = '/sys/bus/pci/devices';
export const RDMA = '/sys/class/infiniband';
export const VERBS = '/sys/class/infiniband_verbs';
const AMAZON = 0x1d0f;
const NVIDIA = 0x10de;

/** 0xefa0 to 0xefaf are reserved; up to 0xefa4 exist. */
export const isEfa = ({ vendor, device }: { vendor: number; device: number }): boolean =>
  vendor === AMAZON && device >= 0xefa0 && device <= 0xefaf;

export function readDevices(host: Host): Devices {
  const functions = host.files.list(PCI).map((address) => readFunction(host, address));
  const efa = functions.filter((found) => found !== undefined).filter(isEfa);
  const gpus = functions
    .filter((found) => found?.vendor === NVIDIA)
    .filter((found) => found !== undefined)
    .filter(({ path }) => (host.files.text(`${path}/class`) ?? '').startsWith('0x03'));
  return { efa, gpus, rdma: readRdma(host), abi: host.files.text(`${VERBS}/abi_version`) };
}

function readFunction({ files }: Host, address: string): PciFunction | undefined {
  const path = files.real(`${PCI}/${address}`);
  if (path === undefined) return undefined;
  const number = (name: string): number => {
    const text = files.text(`${path}/${name}`);
    const isNumber = /^(0x[0-9a-f]{1,8}|-?\d{1,9})$/i.test(text ?? '');
    if (text !== undefined && !isNumber) files.complain(`${path}/${name}`, 'is no number');
    return isNumber ? Number(text) : NaN;
  };
  const vendor = number('vendor');
  if (vendor !== AMAZON && vendor !== NVIDIA) return undefined;
  const driver = files.real(`${path}/driver`);
  const numa = number('numa_node');
  return {
    address,
    vendor,
    device: number('device'),
    driver: driver === undefined ? undefined : basename(driver),
    numa: Number.isNaN(numa) || numa < 0 ? undefined : numa,
    path,
  };
}

function readRdma(host: Host): RdmaDevice[] {
  const { files } = host;
  const nodes = files.list(VERBS, /^uverbs\d+$/).map((name) => ({
    name,
    device: files.text(`${VERBS}/${name}/ibdev`),
    number: files.text(`${VERBS}/${name}/dev`),
  }));
  return files.list(RDMA).map((name) => {
    const device = `${RDMA}/${name}/device`;
    const node = nodes.find((candidate) => candidate.device === name);
    const peerToPeerFile = files.exists(`${device}/p2p`) ? `${device}/p2p` : `${device}/gdr`;
    return {
      name,
      address: basename(files.real(device) ?? ''),
      isEfa: isEfa({
        vendor: Number(files.text(`${device}/vendor`) ?? NaN),
        device: Number(files.text(`${device}/device`) ?? NaN),
      }),
      uverbs: node?.name,
      number: node?.number,
      peerToPeer: files.text(peerToPeerFile),
      peerToPeerFile,
    };
  });
}

/** Whether what `p2p` or `gdr` says is that memory of accelerators can be reached. */
export const reachesAccelerators = ({ peerToPeer }: RdmaDevice): boolean =>
  peerToPeer !== undefined && peerToPeer !== '' && peerToPeer !== '0';

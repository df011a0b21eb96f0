/** Memory of devices, which JavaScript knows by a number only: FI_HMEM of fi_mr(3). */
import { binding } from './binding.js';
import { ERRORS } from './constants.js';
import type { Domain } from './domain.js';
import { fabricError, show } from './errors.js';
import { version } from './library.js';
import { HMEM_INTERFACES } from './memory-constants.js';

/** Memory of a device: an address that a device's own library gave. */
export interface DeviceMemory {
  readonly interface: Exclude<keyof typeof HMEM_INTERFACES, 'FI_HMEM_SYSTEM'>;
  /** Which device, as its library numbers them; for FI_HMEM_ZE the driver times 65536 plus the device. @defaultValue 0 */
  readonly device?: number;
  readonly address: bigint;
  /** In bytes. */
  readonly length: number;
}

/**
 * Memory of a device that its driver shares as a file: struct fi_mr_dmabuf of fi_mr(3), from libfabric 1.20 on. Of providers,
 * efa, verbs and cxi take it.
 */
export interface DmaBuffer extends Omit<DeviceMemory, 'address'> {
  /** Of the dma-buf. Needed until the region is registered. */
  readonly descriptor: number;
  /** Where in the dma-buf the region begins, in bytes. @defaultValue 0 */
  readonly offset?: number;
  /** Where the dma-buf begins in this process, if it is mapped at all: a multiple of the page size. @defaultValue 0n */
  readonly address?: bigint;
}

export const DOING = 'cannot register memory';

/**
 * Registers it.
 *
 * @returns the handle of the region, or a negative libfabric code.
 * @throws TypeError or RangeError for what is no memory of a device, FabricError where the domain or libfabric has none.
 */
export function openDevice(
  domainHandle: number,
  domain: Domain,
  memory: DeviceMemory | DmaBuffer,
  access: bigint,
  key: bigint | undefined,
  flags: bigint,
): number {
  if (typeof memory !== 'object' || (memory as unknown) === null) {
    throw new TypeError(
      `memory: expected an ArrayBufferView, an array of them, a DeviceMemory or a DmaBuffer, not ${show(memory)}`,
    );
  }
  const { interface: name, device = 0, length } = memory;
  const number = Object.hasOwn(HMEM_INTERFACES, name) ? HMEM_INTERFACES[name] : HMEM_INTERFACES.FI_HMEM_SYSTEM;
  if (number === HMEM_INTERFACES.FI_HMEM_SYSTEM) {
    const names = Object.keys(HMEM_INTERFACES).slice(1).join(', ');
    throw new TypeError(`memory.interface: ${show(name)} is none of ${names}`);
  }
  if (!isCount(device) || device >= 2 ** 31) {
    throw new RangeError(`memory.device: expected the number of a device, not ${show(device)}`);
  }
  if (!isCount(length) || length === 0) {
    throw new RangeError(`memory.length: expected a number of bytes, not ${show(length)}`);
  }
  const { address, descriptor, offset } = placeOf(memory);
  if (address + BigInt(offset) + BigInt(length) > 2n ** 64n) {
    throw new RangeError(`memory.length: ${length} bytes from ${show(address)} on are beyond the last address`);
  }
  if (!domain.info.caps.includes('FI_HMEM')) {
    const hint = "The domain has no memory of devices: ask getInfo for caps 'FI_HMEM'.";
    throw fabricError(DOING, { errno: ERRORS.FI_EOPNOTSUPP, syscall: 'fi_mr_regattr', hint });
  }
  if (descriptor !== undefined && !hasDmaBuffers(version())) {
    const hint = `A DmaBuffer needs libfabric 1.20, and this is ${version()}.`;
    throw fabricError(DOING, { errno: ERRORS.FI_ENOSYS, syscall: 'fi_mr_regattr', hint });
  }
  const args = [access, key, flags, number, BigInt(device), descriptor, offset] as const;
  const opened = binding.memoryRegionOpenDevice(domainHandle, address, length, ...args);
  if (opened !== -ERRORS.FI_ENOSYS) return opened;
  const hint = `The library of ${name} is not there, or libfabric was built without it.`;
  throw fabricError(DOING, { errno: ERRORS.FI_ENOSYS, syscall: 'fi_mr_regattr', hint });
}

function hasDmaBuffers(libfabric: string): boolean {
  const [major = 0, minor = 0] = libfabric.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= 20);
}

function placeOf(memory: DeviceMemory | DmaBuffer): {
  address: bigint;
  descriptor: number | undefined;
  offset: number;
} {
  const isDmaBuffer = 'descriptor' in memory;
  const { address } = memory;
  const isOptional = isDmaBuffer && (address === undefined || address === 0n);
  if (!isOptional && !(typeof address === 'bigint' && address > 0n && address < 2n ** 64n)) {
    throw new RangeError(`memory.address: expected an address as a bigint, not ${show(address)}`);
  }
  if (!isDmaBuffer) return { address: memory.address, descriptor: undefined, offset: 0 };
  const { descriptor, offset = 0 } = memory;
  if (!isCount(descriptor) || descriptor >= 2 ** 31) {
    throw new RangeError(`memory.descriptor: expected an open file descriptor, not ${show(descriptor)}`);
  }
  if (!isCount(offset)) throw new RangeError(`memory.offset: expected a number of bytes, not ${show(offset)}`);
  return { address: address ?? 0n, descriptor, offset };
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

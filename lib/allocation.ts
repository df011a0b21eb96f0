/** Memory of our own: mapped pages instead of V8's heap. */
import { binding } from './binding.js';
import type { Domain } from './domain.js';
import { check, show } from './errors.js';
import { MemoryRegion, type MemoryRegionOptions } from './memory-region.js';

/** Options of {@link Domain.allocate}. */
export interface AllocateOptions extends MemoryRegionOptions {
  /** Take huge pages of the kernel's default size. @defaultValue false */
  readonly hugePages?: boolean;
  /** A power of two, up to 1 GiB. @defaultValue the size of a page */
  readonly alignment?: number;
}

const PAGE = 4096;
const LARGEST_ALIGNMENT = 2 ** 30;

/** Domain.allocate. */
export function allocate(domain: Domain, byteLength: number, options: AllocateOptions): MemoryRegion {
  const { alignment = PAGE, hugePages = false, ...registration } = options;
  if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
    throw new RangeError(`byteLength: expected a number of bytes above 0, not ${show(byteLength)}`);
  }
  if (!Number.isInteger(alignment) || !(alignment >= 1 && alignment <= LARGEST_ALIGNMENT) || !isPowerOfTwo(alignment)) {
    throw new RangeError(
      `options.alignment: expected a power of two up to ${LARGEST_ALIGNMENT}, not ${show(alignment)}`,
    );
  }
  if (typeof hugePages !== 'boolean') {
    throw new TypeError(`options.hugePages: expected a boolean, not ${show(hugePages)}`);
  }
  const buffer = check<ArrayBuffer>(
    binding.memoryAllocate(byteLength, alignment, hugePages),
    'mmap',
    `cannot allocate ${byteLength} bytes${hugePages ? ' of huge pages' : ''}`,
    hugePages
      ? 'The kernel has too few huge pages free: see HugePages_Free in /proc/meminfo, reserve them in ' +
          '/proc/sys/vm/nr_hugepages, or leave hugePages out.'
      : undefined,
  );
  return new MemoryRegion(domain, new Uint8Array(buffer), registration);
}

const isPowerOfTwo = (value: number): boolean => (value & (value - 1)) === 0;

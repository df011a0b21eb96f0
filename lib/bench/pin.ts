/** Measuring on one processor: a thread that the scheduler moves measures the scheduler. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { binding } from '../binding.js';
import { sysfs } from '../sysfs.js';

/** A processor by its number, or one that suits the device. */
export type Pin = 'auto' | number;

/**
 * Keeps this thread on one processor until it is disposed of: the number, or of the processors near the device the last,
 * since interrupts go to the first.
 *
 * @throws RangeError for a processor that this process may not use.
 */
export function pinThread(pin: Pin, domain: string): Disposable & { processor: number } {
  const before = allowedProcessors();
  const near = before.filter((processor) => localProcessors(domain).includes(processor));
  const processor = pin === 'auto' ? (near.at(-1) ?? before.at(-1) ?? 0) : pin;
  if (!before.includes(processor) || binding.setThreadAffinity([processor]) !== 0) {
    throw new RangeError(`pin: this process may run on processors ${before.join(', ')}, not on ${processor}`);
  }
  return {
    processor,
    [Symbol.dispose]() {
      binding.setThreadAffinity(before);
    },
  };
}

/**
 * For two ends on this host: what the first is to be kept on, and a processor for the second that shares no core with it,
 * where there is one.
 */
export function pinPair(pin: Pin): [first: number, second: number] {
  const allowed = allowedProcessors();
  const first = pin === 'auto' ? (allowed.at(-1) ?? 0) : pin;
  const others = allowed.filter((processor) => processor !== first);
  const siblings = readList(`/sys/devices/system/cpu/cpu${first}/topology/thread_siblings_list`);
  return [first, others.filter((processor) => !siblings.includes(processor)).at(-1) ?? others.at(-1) ?? first];
}

function allowedProcessors(): number[] {
  const processors = binding.threadAffinity();
  return typeof processors === 'number' ? [] : processors;
}

/** The processors of a device's NUMA node; none where the kernel does not say. */
function localProcessors(domain: string): number[] {
  const name = domain.replace(/-(?:rdm|dgrm)$/, '');
  const lists = ['infiniband', 'net'].map((kind) =>
    readList(join(sysfs(), 'class', kind, name, 'device/local_cpulist')),
  );
  return lists.find((list) => list.length > 0) ?? [];
}

/** `0-3,8` as the kernel writes it. */
function readList(file: string): number[] {
  let list: string;
  try {
    list = readFileSync(file, 'latin1').trim();
  } catch {
    return [];
  }
  return list.split(',').flatMap((part) => {
    const [first = NaN, last = first] = part.split('-').map(Number);
    return Number.isInteger(first) ? Array.from({ length: last - first + 1 }, (_, index) => first + index) : [];
  });
}

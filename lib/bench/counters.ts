/** Proof of the path: what the kernel counts at the device while a measurement runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn, sysfs } from '../sysfs.js';

/** By how much one counter of a device has grown. */
export interface CounterDelta {
  /** The network interface or RDMA device. */
  device: string;
  /** `tx_bytes`, `rdma_read_bytes` … */
  counter: string;
  delta: number;
}

/** Counters of a device at one moment. */
export interface CounterReading {
  device: string;
  values: ReadonlyMap<string, number>;
}

const INTERESTING = /bytes|pkts|packets|xmit_data|rcv_data/;

/**
 * Reads the counters of the device that a domain is on: hw_counters and counters of an RDMA device, or the statistics of
 * a network interface. Undefined where there is no device, as for shm.
 */
export function readCounters(domain: string, sys = sysfs()): CounterReading | undefined {
  const rdma = namesIn(join(sys, 'class/infiniband')).find((name) => domain === name || domain.startsWith(`${name}-`));
  if (rdma !== undefined) {
    const folder = join(sys, 'class/infiniband', rdma);
    const ports = namesIn(join(folder, 'ports')).map((port) => join(folder, 'ports', port));
    const folders = [folder, ...ports].flatMap((at) => [join(at, 'hw_counters'), join(at, 'counters')]);
    return { device: rdma, values: new Map(folders.flatMap(readFolder)) };
  }
  if (!namesIn(join(sys, 'class/net')).includes(domain)) return undefined;
  const values = new Map(readFolder(join(sys, 'class/net', domain, 'statistics')));
  return { device: domain, values };
}

/** What has been counted between two readings: only what grew. */
export function counterDeltas(before: CounterReading, after: CounterReading): CounterDelta[] {
  return [...after.values].flatMap(([counter, value]) => {
    const delta = value - (before.values.get(counter) ?? 0);
    return delta > 0 ? [{ device: after.device, counter, delta }] : [];
  });
}

function readFolder(folder: string): [string, number][] {
  return namesIn(folder)
    .filter((name) => INTERESTING.test(name))
    .flatMap((name): [string, number][] => {
      try {
        return [[name, Number(readFileSync(join(folder, name), 'latin1').trim())]];
      } catch {
        return [];
      }
    });
}

import { join } from 'node:path';
import { namesIn, sysfs } from '../sysfs.js';
import { BenchError } from './errors.js';
import type { PingpongResult } from './result.js';

/** What a measurement has to reach; a figure that was not measured does not. */
export interface Thresholds {
  /** The 99th percentile of one-way latency of each size, in microseconds, at most. */
  maxP99?: number;
  /** The bandwidth of each size, in 10⁶ bytes a second, at least. */
  minBandwidth?: number;
}

/** A sentence for each figure that is worse than the thresholds allow. */
export function failedThresholds({ measurements }: PingpongResult, { maxP99, minBandwidth }: Thresholds): string[] {
  return measurements.flatMap(({ size, latency, ...tests }) => {
    const p99 = latency?.p99 ?? Infinity;
    const measured = tests.bandwidth ?? tests.bidirectional ?? tests.rate;
    const rate = measured?.megabytesPerSecond ?? 0;
    return [
      ...(maxP99 !== undefined && p99 > maxP99 ? [`size ${size}: p99 is ${figure(p99)} µs, more than ${maxP99}`] : []),
      ...(minBandwidth !== undefined && rate < minBandwidth
        ? [`size ${size}: bandwidth is ${figure(rate)} MB/s, less than ${minBandwidth}`]
        : []),
    ];
  });
}

/** @throws BenchError `THRESHOLD` with the whole result when a figure is worse than the thresholds allow. */
export function checkThresholds(result: PingpongResult, thresholds: Thresholds): void {
  const failed = failedThresholds(result, thresholds);
  if (failed.length === 0) return;
  const error = new BenchError('THRESHOLD', failed.join('; '));
  error.partial = result;
  throw error;
}

/** Providers that do in software, over sockets, what others do in hardware. */
const SOFTWARE = ['tcp', 'net', 'udp', 'sockets'];

/** @throws BenchError `FALLBACK_REFUSED` where software was chosen although this host has a device for RDMA. */
export function refuseFallback(provider: string, sys = sysfs()): void {
  if (!SOFTWARE.includes(provider.split(';')[0]!)) return;
  const devices = rdmaDevices(sys);
  if (devices.length === 0) return;
  throw new BenchError(
    'FALLBACK_REFUSED',
    `${devices.join(', ')} is there, and the ends would use ${provider}, which does not use it`,
    { hint: '`fabric-info --why` says why; --allow-fallback measures all the same, -p chooses a provider' },
  );
}

/** Devices of the kernel's RDMA subsystem, and those bound to the efa driver. */
function rdmaDevices(sys: string): string[] {
  const efa = namesIn(join(sys, 'bus/pci/drivers/efa')).filter((entry) => /^[0-9a-f]{4}:/.test(entry));
  const others = namesIn(join(sys, 'class/infiniband'));
  return others.length > 0
    ? others.map((name) => `RDMA device ${name}`)
    : efa.map((address) => `EFA device ${address}`);
}

function figure(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : 'unknown';
}

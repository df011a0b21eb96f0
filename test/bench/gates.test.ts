import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { PingpongResult } from 'node-libfabric/bench';
import { counterDeltas, readCounters } from '../../lib/bench/counters.js';
import { checkThresholds, failedThresholds, refuseFallback } from '../../lib/bench/gates.js';
import { latencyHistogram } from '../../lib/bench/histogram.js';
import { latencyStatistics } from '../../lib/bench/statistics.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A /sys with these files. */
function makeSys(files: Record<string, string>): string {
  const sys = mkdtempSync(join(tmpdir(), 'sys-'));
  folders.push(sys);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(sys, name)), { recursive: true });
    writeFileSync(join(sys, name), text);
  }
  return sys;
}

const EFA = { 'class/infiniband/rdmap0s6/ports/1/hw_counters/tx_bytes': '100\n' };

describe('refuseFallback', () => {
  it.each(['tcp;ofi_rxm', 'net', 'sockets', 'udp;ofi_rxd'])('refuses %s where an RDMA device is', (provider) => {
    expect(() => {
      refuseFallback(provider, makeSys(EFA));
    }).toThrow('RDMA device rdmap0s6 is there');
  });

  it('refuses where an efa device has no driver of RDMA', () => {
    expect(() => {
      refuseFallback('net', makeSys({ 'bus/pci/drivers/efa/0000:00:06.0/vendor': '' }));
    }).toThrow('EFA device 0000:00:06.0 is there');
  });

  it.each(['efa', 'shm', 'verbs;ofi_rxm'])('has nothing against %s', (provider) => {
    refuseFallback(provider, makeSys(EFA));
  });

  it('has nothing against software where there is nothing else', () => {
    refuseFallback('net', makeSys({}));
  });
});

describe('thresholds', () => {
  const result = {
    measurements: [
      { size: 64, latency: { p99: 20 }, bandwidth: { megabytesPerSecond: 100 } },
      { size: 4096, latency: { p99: 30 } },
    ],
  } as unknown as PingpongResult;

  it('hold for each size, and for what was not measured they do not', () => {
    expect(failedThresholds(result, {})).toEqual([]);
    expect(failedThresholds(result, { maxP99: 30 })).toEqual([]);
    expect(failedThresholds(result, { maxP99: 25 })).toEqual(['size 4096: p99 is 30.00 µs, more than 25']);
    expect(failedThresholds(result, { minBandwidth: 100 })).toEqual([
      'size 4096: bandwidth is 0.00 MB/s, less than 100',
    ]);
  });

  it('fail with the result', () => {
    expect(() => {
      checkThresholds(result, { maxP99: 1 });
    }).toThrow(expect.objectContaining({ code: 'THRESHOLD', partial: result }));
  });
});

describe('counters', () => {
  it('are those of the RDMA device that the domain is on', () => {
    const sys = makeSys(EFA);
    const before = readCounters('rdmap0s6-rdm', sys)!;
    writeFileSync(join(sys, 'class/infiniband/rdmap0s6/ports/1/hw_counters/tx_bytes'), '1100\n');
    const after = readCounters('rdmap0s6-rdm', sys)!;
    expect(counterDeltas(before, after)).toEqual([{ device: 'rdmap0s6', counter: 'tx_bytes', delta: 1000 }]);
    expect(counterDeltas(after, after)).toEqual([]);
  });

  it('are those of the network interface, here too', () => {
    expect(readCounters('lo')?.values.get('tx_bytes')).toBeGreaterThanOrEqual(0);
    expect(readCounters('shm')).toBeUndefined();
  });
});

describe('latencyHistogram', () => {
  it('has every sample, within a 64th of its value', () => {
    const samples = Float64Array.from({ length: 10_000 }, (_, index) => 0.001 * 1.001 ** index);
    const { buckets, subBuckets } = latencyHistogram(samples);
    expect(buckets.reduce((sum, [, count]) => sum + count, 0)).toBe(samples.length);
    const sorted = [...samples].sort((one, other) => one - other);
    // The nearest rank, counted through the buckets, is what the raw samples say.
    for (const [name, part] of [
      ['p50', 0.5],
      ['p90', 0.9],
      ['p99', 0.99],
    ] as const) {
      let left = Math.ceil(part * samples.length);
      const [from] = buckets.find(([, count]) => (left -= count) <= 0)!;
      const exact = (sorted[Math.ceil(part * samples.length) - 1]! * 1e6) / 2;
      expect(from).toBeLessThanOrEqual(Math.round(exact));
      expect(exact - from).toBeLessThanOrEqual(exact / subBuckets + 1);
      expect(latencyStatistics(samples)![name]).toBeCloseTo(exact / 1000, 9);
    }
  });
});

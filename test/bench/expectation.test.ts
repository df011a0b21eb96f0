import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { PingpongResult } from 'node-libfabric/bench';
import { judgeBandwidth } from '../../lib/bench/expectation.js';

const sys = mkdtempSync(join(tmpdir(), 'sys-'));
afterAll(() => {
  rmSync(sys, { recursive: true });
});

function judge(
  instanceType: string,
  provider: string,
  megabytesPerSecond: number,
  size = 1_048_576,
  server = 'b',
  test = 'bandwidth',
): unknown {
  mkdirSync(join(sys, 'devices/virtual/dmi/id'), { recursive: true });
  writeFileSync(join(sys, 'devices/virtual/dmi/id/product_name'), `${instanceType}\n`);
  const measurements = [{ size, [test]: { megabytesPerSecond } }];
  const result = { provider, client: { host: 'a', domain: 'eth7' }, server: { host: server }, measurements };
  return judgeBandwidth(result as unknown as PingpongResult, sys);
}

describe('judgeBandwidth', () => {
  it.each([
    ['c5n.18xlarge', 'efa', 10_000, 'typical', /80\.0 Gbit\/s is typical of EFA: .* has 100 Gbit\/s/],
    ['c5n.18xlarge', 'efa', 500, 'suspicious', /little for EFA.*fabric-doctor/],
    ['c5n.18xlarge', 'tcp;ofi_rxm', 600, 'typical', /typical of one TCP flow, not of EFA.*fabric-doctor/],
    ['c6in.32xlarge', 'net', 5000, 'suspicious', /more than one TCP flow gets.* has 100 Gbit\/s/],
  ])('on %s over %s at %d MB/s', (instanceType, provider, rate, verdict, message) => {
    expect(judge(instanceType, provider, rate)).toEqual({
      verdict,
      message: expect.stringMatching(message) as unknown,
    });
  });

  it.each([
    [10_000, 1000, 'typical', '8.0 Gbit/s is 80 % of the 10 Gbit/s of eth7'],
    [100_000, 1000, 'suspicious', /^8\.0 Gbit\/s is 8 % of the 100 Gbit\/s of eth7; --streams 4 .*fabric-doctor/],
  ])('elsewhere, with a cable of %d Mbit/s, at %d MB/s', (speed, rate, verdict, message) => {
    mkdirSync(join(sys, 'class/net/eth7'), { recursive: true });
    writeFileSync(join(sys, 'class/net/eth7/speed'), `${speed}\n`);
    expect(judge('', 'net', rate)).toEqual({ verdict, message: expect.stringMatching(message) as unknown });
    // both directions together have twice of it
    expect(judge('', 'net', 2 * rate, 1_048_576, 'b', 'bidirectional')).toMatchObject({ verdict });
    expect(judge('', 'net', rate, 1_048_576, 'a')).toBeUndefined();
  });

  it('says nothing of what it does not know', () => {
    expect(judge('m5.large', 'net', 1000, 64)).toBeUndefined();
    expect(judge('c5n.18xlarge', 'efa', 10, 64)).toBeUndefined();
    expect(judge('c5n.18xlarge', 'shm', 10_000, 1_048_576, 'a')).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import type { PingpongOptions } from 'node-libfabric/bench';
import { completeParameters } from '../../lib/bench/parameters.js';
import { planBandwidth, planChunk, planLatency } from '../../lib/bench/plan.js';

describe('completeParameters', () => {
  it('fills in the defaults', () => {
    expect(completeParameters({})).toEqual({
      host: '127.0.0.1',
      port: 47593,
      endpointType: 'rdm',
      operation: 'msg',
      sizes: [64, 256, 1024, 4096, 65_536, 1_048_576],
      window: 64,
      streams: 1,
      door: 'batch',
      poll: 'spin',
      verify: false,
      samples: false,
      timeout: 10_000,
    });
    expect(completeParameters({ test: 'rate' }).sizes).toEqual([64, 256, 1024, 4096]);
  });

  it('takes the door of promises where the other cannot', () => {
    expect(completeParameters({ operation: 'writedata' })).toMatchObject({ door: 'await', poll: 'auto' });
    expect(completeParameters({ poll: 'wait' })).toMatchObject({ door: 'await', poll: 'wait' });
  });

  it.each([
    [{ sizes: [] }, /sizes: at least one/],
    [{ sizes: [64, 0] }, /sizes: .*not 0/],
    [{ sizes: [2 ** 31] }, /sizes/],
    [{ iterations: 0.5 }, /iterations/],
    [{ iterations: NaN }, /iterations/],
    [{ warmup: -1 }, /warmup/],
    [{ window: 0 }, /window/],
    [{ port: 65_536 }, /port/],
    [{ port: 47_592 }, /fi_pingpong/],
    [{ timeout: Infinity }, /timeout/],
    [{ streams: 65 }, /streams: a whole number from 1 to 64, not 65/],
    [{ pin: -1 }, /pin/],
    [{ time: 0 }, /time/],
    [{ time: 100, iterations: 10 }, /time: not together with iterations/],
    [{ operation: 'write', endpointType: 'msg' }, /operation: write needs endpoint type rdm, not msg/],
    [{ operation: 'tagged', endpointType: 'dgram' }, /operation: tagged needs/],
    [{ operation: 'read', test: 'bibw' }, /test: bibw needs operation msg or tagged, not read/],
    [{ endpointType: 'dgram', test: 'bibw' }, /test: bibw needs endpoint type/],
    [{ operation: 'writedata', door: 'batch' }, /door: operation writedata needs await/],
    [{ operation: 'writedata', streams: 2 }, /streams/],
    [{ door: 'batch', poll: 'wait' }, /poll: the batch door spins/],
    [{ operation: 'atomic' as 'read' }, /operation: msg, tagged, write, read, writedata, not atomic/],
  ] satisfies [PingpongOptions, RegExp][])('refuses %o', (options, message) => {
    expect(() => completeParameters(options)).toThrow(RangeError);
    expect(() => completeParameters(options)).toThrow(message);
  });
});

describe('planLatency', () => {
  it('takes the numbers that were asked for, however slow the provider is', () => {
    expect(planLatency(64, { iterations: 5000, warmup: 7 }, 1e6)).toEqual({
      iterations: 5000,
      warmup: 7,
    });
  });

  it('makes fewer round trips of larger messages', () => {
    const iterations = [64, 65_536, 1_048_576].map((size) => planLatency(size, {}, 0.001).iterations);
    expect(iterations).toEqual([10_000, 1000, 100]);
  });

  it('makes as many as fit into a second, but not too few for a percentile', () => {
    expect(planLatency(64, {}, 1)).toEqual({ iterations: 1000, warmup: 100 });
    expect(planLatency(64, {}, 500)).toEqual({ iterations: 20, warmup: 10 });
  });
});

describe('planChunk', () => {
  it('does so much that the clock is looked at five times a second, and not beyond the end', () => {
    expect(planChunk(1, 10_000)).toBe(200);
    expect(planChunk(1, 50)).toBe(50);
    expect(planChunk(500, 10_000)).toBe(1);
    expect(planChunk(0, 10_000)).toBe(1_000_000);
    expect(planChunk(1, -1)).toBe(1);
  });
});

describe('planBandwidth', () => {
  it('moves as many messages as the latency phase, in whole windows', () => {
    const plan = { iterations: 1000, warmup: 100 };
    expect(planBandwidth(plan, 64, 0)).toEqual({ windows: 16, warmupWindows: 2 });
  });

  it('makes four windows at least, and fewer only where they take too long', () => {
    const plan = { iterations: 100, warmup: 0 };
    expect(planBandwidth(plan, 64, 0.1)).toEqual({ windows: 4, warmupWindows: 0 });
    expect(planBandwidth(plan, 64, 100)).toEqual({ windows: 1, warmupWindows: 0 });
  });
});

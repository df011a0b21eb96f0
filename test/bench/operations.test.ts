import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getInfo } from 'node-libfabric';
import {
  pingpong,
  REPORT_FORMAT,
  reportJsonSchema,
  type Measurement,
  type PingpongOptions,
} from 'node-libfabric/bench';
import { Programs } from '../cli/program.js';

const SCHEMA = fileURLToPath(new URL('../../docs/fabric-pingpong.schema.json', import.meta.url));
const validate = new Ajv().compile(reportJsonSchema());
const SIZES = [64, 1024, 65_536];

/** Every test of every operation over every endpoint type, through both doors, where it is allowed. */
const CASES: PingpongOptions[] = [
  {},
  { operation: 'tagged' },
  { operation: 'write' },
  { operation: 'read' },
  { operation: 'writedata' },
  { endpointType: 'msg' },
  { endpointType: 'msg', door: 'await', poll: 'wait' },
  { endpointType: 'msg', streams: 2, test: 'bw' },
  { endpointType: 'dgram', window: 8 },
  { door: 'await', poll: 'spin' },
  { door: 'await', operation: 'tagged' },
  { door: 'await', operation: 'write' },
  { door: 'await', operation: 'read', verify: true },
  { verify: true },
  { verify: true, operation: 'read', streams: 2 },
  { test: 'bw', streams: 3, operation: 'tagged' },
  { test: 'bibw' },
  { test: 'bibw', verify: true, streams: 2 },
  { test: 'bibw', endpointType: 'msg' },
  { test: 'bibw', door: 'await', streams: 2 },
  { test: 'rate', streams: 2 },
  { test: 'rate', operation: 'write' },
  { test: 'rate', door: 'await' },
];

const isListed = (provider: string, type: 'FI_EP_RDM' | 'FI_EP_MSG' | 'FI_EP_DGRAM'): boolean =>
  getInfo({ epAttr: { type } }).some(({ fabricAttr }) => fabricAttr.provName === provider);
/** What there is of each endpoint type: everywhere tcp, under whatever name. */
const PROVIDERS = {
  rdm: ['shm', 'net', 'tcp'].filter((provider) => isListed(provider, 'FI_EP_RDM')),
  msg: ['tcp'].filter((provider) => isListed(provider, 'FI_EP_MSG')),
  dgram: ['udp'].filter((provider) => isListed(provider, 'FI_EP_DGRAM')),
};

describe('pingpong', () => {
  const programs = new Programs();
  let port = 0;

  beforeAll(async () => {
    const server = programs.start(['serve', '--keep', '--bind', '127.0.0.1', '--port', '0']);
    port = Number(await server.port());
  });
  afterAll(() => programs.endAll());

  const name = (options: PingpongOptions): string =>
    Object.entries(options)
      .map(([key, value]) => `${key} ${String(value)}`)
      .join(', ') || 'as it is';

  describe.each(CASES.map((options) => ({ name: name(options), options })))('$name', ({ options }) => {
    it.each(PROVIDERS[options.endpointType ?? 'rdm'])('over %s', async (provider) => {
      const result = await pingpong({ sizes: SIZES, iterations: 40, ...options, provider, port, samples: true });
      const { parameters, measurements } = result;
      expect(parameters).toMatchObject(options);
      expect(result.endpointType).toBe(`FI_EP_${parameters.endpointType.toUpperCase()}`);
      // udp sends no more than fits in a packet
      expect(measurements.map(({ size }) => size)).toEqual(provider === 'udp' ? [64, 1024] : SIZES);
      const { test } = parameters;
      const expected = { bw: ['bandwidth'], bibw: ['bidirectional'], rate: ['rate'], lat: ['latency'] };
      for (const measurement of measurements) {
        const keys = test ? expected[test] : ['latency', 'bandwidth'];
        expect(Object.keys(measurement)).toEqual(['size', ...keys]);
        checkBandwidth(measurement, parameters.streams);
        if (measurement.latency) expect(measurement.latency).toMatchObject({ iterations: 40, complete: true });
      }
      const report = { format: REPORT_FORMAT, ok: true, interrupted: false, ...result };
      expect(validate(JSON.parse(JSON.stringify(report))), JSON.stringify(validate.errors)).toBe(true);
    });
  });

  function checkBandwidth({ size, bandwidth, bidirectional, rate }: Measurement, streams: number): void {
    const measured = bandwidth ?? bidirectional ?? rate;
    if (!measured) return;
    const { window, windows, messages, bytes, milliseconds, megabytesPerSecond, messagesPerSecond } = measured;
    expect(messages).toBe(window * windows * streams * (bidirectional ? 2 : 1));
    expect(bytes).toBe(messages * size);
    expect(megabytesPerSecond).toBeCloseTo(bytes / milliseconds / 1000, 6);
    expect(messagesPerSecond).toBeCloseTo((messages / milliseconds) * 1000, 3);
  }

  it('says the percentiles that the raw samples have', async () => {
    const { measurements } = await pingpong({
      provider: PROVIDERS.rdm[0]!,
      port,
      sizes: [64],
      test: 'lat',
      iterations: 997,
      samples: true,
    });
    const { samples, iterations, p50, p90, p99, p999, min, max, mean, histogram } = measurements[0]!.latency!;
    expect(samples).toHaveLength(iterations);
    const ascending = [...samples!].sort((one, other) => one - other);
    // The definition, without the arithmetic of ranks: the least that so large a part of all does not exceed.
    const percentile = (part: number): number =>
      ascending.find((value) => ascending.filter((other) => other <= value).length >= part * ascending.length)!;
    expect({ p50, p90, p99, p999 }).toEqual({
      p50: percentile(0.5),
      p90: percentile(0.9),
      p99: percentile(0.99),
      p999: percentile(0.999),
    });
    expect([min, max]).toEqual([ascending[0], ascending.at(-1)]);
    expect(mean).toBeCloseTo(ascending.reduce((sum, sample) => sum + sample, 0) / iterations, 6);
    expect(histogram.buckets.reduce((sum, [, count]) => sum + count, 0)).toBe(iterations);
  });

  it('measures as long as it is told to', async () => {
    const startedAt = performance.now();
    const { measurements } = await pingpong({ provider: PROVIDERS.rdm[0]!, port, sizes: [64], test: 'lat', time: 700 });
    expect(performance.now() - startedAt).toBeGreaterThan(700);
    expect(measurements[0]!.latency!.iterations).toBeGreaterThan(50);
  });

  it('tells what it has chosen before it measures, and each size when it is measured', async () => {
    const events: string[] = [];
    await pingpong({
      provider: PROVIDERS.rdm[0]!,
      port,
      sizes: [64, 128],
      iterations: 50,
      onSelected: ({ provider, measurements }) => events.push(`${provider} ${measurements.length}`),
      onProgress: ({ phase }) => {
        if (events.at(-1) !== phase) events.push(phase);
      },
      onMeasurement: ({ size }) => events.push(String(size)),
    });
    const each = ['latency', 'bandwidth'];
    expect(events).toEqual([`${PROVIDERS.rdm[0]!} 0`, ...each, '64', ...each, '128']);
  });

  it('keeps the thread on a processor, and lets it go again', async () => {
    const allowed = (): string =>
      /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/thread-self/status', 'utf8'))![1]!;
    const before = allowed();
    let during = '';
    const { processor } = await pingpong({
      provider: PROVIDERS.rdm[0]!,
      port,
      sizes: [64],
      iterations: 50,
      pin: 'auto',
      onSelected: () => (during = allowed()),
    });
    expect(during).toBe(String(processor));
    expect(allowed()).toBe(before);
    await expect(pingpong({ port, pin: 1023, sizes: [64] })).rejects.toThrow(
      /^pin: this process may run on processors .*, not on 1023$/,
    );
  });
});

describe('the JSON Schema', () => {
  it('is the one that is published', () => {
    expect(JSON.parse(readFileSync(SCHEMA, 'utf8'))).toEqual(reportJsonSchema());
  });
});

/** Several devices, and efa-direct: programs of a host of their own. */
import { describe, expect, it } from 'vitest';
import { CHECKOUT_IN_DEBIAN_13, debian13Obstacle } from '../helpers/debian-13.js';
import { counter, missingEfa, startOnHost, startOnHostInDebian13, statistic } from '../helpers/software-efa.js';

const title = (reason: string | undefined): string => (reason === undefined ? '' : ` (skipped: ${reason})`);

const FIXTURE = 'test/fixtures/efa-devices.mjs';
/** Of their own: what a host has stays. */
const hosts = { '1.17': 240, '2.1': 250 } as const;

/** @param hasWrites - Whether the devices write to a peer's memory; else libfabric has the peer do it. */
async function exchange(version: keyof typeof hosts, devices: number, hasWrites = false): Promise<void> {
  const host = hosts[version] + devices;
  const environment = { SOFTEFA_DEVICES: String(devices), ...(hasWrites && { SOFTEFA_RDMA: 'read,write' }) };
  const args = hasWrites ? ['refusal'] : [];
  await using child =
    version === '2.1'
      ? startOnHostInDebian13(host, ['/opt/node', `${CHECKOUT_IN_DEBIAN_13}/${FIXTURE}`, ...args], environment)
      : startOnHost(host, [process.execPath, FIXTURE, ...args], environment);
  const { code, stdout, stderr } = await child.ended(30_000);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const names = Array.from({ length: devices }, (_, index) => `rdmap0s${6 + index}`);
  expect(JSON.parse(stdout)).toEqual({
    devices: names,
    bytes: devices * devices * 2_050_064,
    ...(hasWrites && { refusal: { name: 'FabricError', provider: 7 } }),
  });
  // each has sent to each, itself included, and fetched what was long
  for (const name of names) {
    expect(counter(host, 'tx_pkts', name)).toBeGreaterThan(6 * devices);
    expect(counter(host, 'rx_pkts', name)).toBeGreaterThan(6 * devices);
    expect(counter(host, 'rdma_read_bytes', name)).toBeGreaterThanOrEqual(2_000_000 * devices);
    const written = counter(host, 'rdma_write_bytes', name);
    if (hasWrites) expect(written).toBeGreaterThanOrEqual(900_000);
    else expect(written).toBe(0);
  }
}

describe.skipIf(missingEfa !== undefined)(`hosts with several devices of EFA${title(missingEfa)}`, () => {
  // one: every other file
  it.each([2, 4])(
    'exchange messages between all of %i, and write to each other',
    (devices) => exchange('1.17', devices),
    40_000,
  );
});

const obstacle = missingEfa ?? debian13Obstacle();
describe.skipIf(obstacle !== undefined)(`libfabric 2.1 on a device of EFA${title(obstacle)}`, () => {
  it('exchanges messages between all of 4 devices, which write and refuse to', () => exchange('2.1', 4, true), 40_000);

  const solicited = { FI_EFA_USE_UNSOLICITED_WRITE_RECV: '0' };

  it.each([
    ['efa-direct', 261, {}, { withoutReceive: '42', afterReceive: '42' }, 1],
    // then it waits for a receive, as any packet does
    ['efa-direct', 262, solicited, { withoutReceive: 'nothing', afterReceive: '42' }, 0],
    ['efa', 263, {}, { withoutReceive: '42', afterReceive: '42' }, 1],
    // which has posted receives of its own
    ['efa', 264, solicited, { withoutReceive: '42', afterReceive: '42' }, 0],
  ] as const)('has writes with immediate data that need no receive: %s on host %i with %j', async (...parts) => {
    const [fabric, host, environment, arrival, unsolicited] = parts;
    const fixture = `${CHECKOUT_IN_DEBIAN_13}/test/fixtures/efa-unsolicited.mjs`;
    await using child = startOnHostInDebian13(host, ['/opt/node', fixture, fabric], environment);
    const { code, stdout, stderr } = await child.ended(30_000);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ ...arrival, written: [7, 0] });
    expect(statistic(host, 'softefa_unsolicited')).toBe(unsolicited);
    expect(counter(host, 'rdma_write_bytes')).toBe(100);
  });

  it('has efa-direct, which carries packets and says what it does not', async () => {
    await using child = startOnHostInDebian13(260, [
      '/opt/node',
      `${CHECKOUT_IN_DEBIAN_13}/test/fixtures/efa-direct.mjs`,
    ]);
    const { code, stdout, stderr } = await child.ended(30_000);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const result = JSON.parse(stdout) as { limit: number; bytes: number; mode: string[]; caps: string[] };
    const { limit } = result;
    expect(limit).toBeGreaterThan(4096);
    expect(limit).toBeLessThan(10_000);
    const long = {
      name: 'RangeError',
      message: `buffer: ${limit + 1} bytes are more than epAttr.maxMsgSize of ${limit}; efa-direct sends packets as they are, the fabric efa messages of any length`,
    };
    const tag = {
      name: 'FabricError',
      code: 'FI_EOPNOTSUPP',
      hint: 'The endpoint was not opened with FI_TAGGED, and efa-direct has none; the fabric efa does.',
    };
    expect(result).toMatchObject({
      fabric: 'efa-direct',
      bytes: 1 + 64 + 4096 + limit,
      data: '77',
      distinct: 3000,
      refused: {
        long,
        longInParts: long,
        tag,
        tagged: tag,
        multiReceive: { code: 'FI_EOPNOTSUPP', message: expect.stringContaining('efa-direct') as string },
        atomic: 0,
      },
      aborted: { name: 'TimeoutError' },
      hasDescriptor: false,
    });
    expect(result.mode).toContain('FI_CONTEXT2');
    expect(result.caps).not.toContain('FI_TAGGED');
  });
});

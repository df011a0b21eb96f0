/** Datagrams of efa, which are packets as the device has them, with room for a prefix that users do not see. */
import { describe, expect, it } from 'vitest';
import type { Child } from '../helpers/child.js';
import { CHECKOUT_IN_DEBIAN_13, debian13Obstacle } from '../helpers/debian-13.js';
import { counter, missingEfa, startOnHost, startOnHostInDebian13 } from '../helpers/software-efa.js';

const title = (reason: string | undefined): string => (reason === undefined ? '' : ` (skipped: ${reason})`);

const FIXTURE = 'test/fixtures/efa-datagrams.mjs';
const PINGPONG = 'dist/cli/fabric-pingpong.js';
const refusedAs = (code: string) => ({ name: 'FabricError', code });

interface Version {
  /** A program of the checkout, with node. */
  readonly start: (host: number, script: string, args?: readonly string[]) => Child;
  readonly host: number;
  /** What libfabric offers besides. */
  readonly injectSize: number;
  readonly cqDataSize: number;
  /** What becomes of a receive that is too short. */
  readonly truncated: string;
}

function describeDatagrams({ start, host, injectSize, cqDataSize, truncated }: Version): void {
  it('arrive whole, and what they do not have is refused', async () => {
    await using child = start(host, FIXTURE);
    const { code, stdout, stderr } = await child.ended(30_000);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const limit = 8928;
    const tooMany = { name: 'RangeError', message: expect.stringMatching(/limit of 1 \(iovLimit\)$/) as string };
    expect(JSON.parse(stdout)).toMatchObject({
      limit,
      cqDataSize,
      data: cqDataSize === 0 ? 'none' : '77',
      injectSize,
      injections: cqDataSize === 0 ? [injectSize, injectSize] : [injectSize, injectSize, `${injectSize} and 5`],
      outstanding: 0,
      found: [[7, 50, true]],
      refused: {
        long: { name: 'RangeError', message: `buffer: ${limit + 1} bytes are more than epAttr.maxMsgSize of ${limit}` },
        longInjected: { name: 'RangeError' },
        parts: tooMany,
        receivedParts: tooMany,
        tag: refusedAs('FI_EOPNOTSUPP'),
        multiReceive: refusedAs('FI_EOPNOTSUPP'),
        withoutPrefix: refusedAs('FI_ENODATA'),
        strangePrefix: refusedAs('FI_EINVAL'),
      },
      truncated: { ...refusedAs(truncated), message: expect.stringMatching(/longer than the buffer/) as string },
      after: 8,
      aborted: { name: 'TimeoutError' },
      // to those who do not take a prefix
      isOffered: false,
      hasDescriptor: false,
      hasArrived: true,
      closed: ['FI_ECANCELED'],
      mode: expect.arrayContaining(['FI_MSG_PREFIX']) as string[],
    });
  });

  it('are what fabric-pingpong measures with, every size that fits', async () => {
    const args = [
      'local',
      '-p',
      'efa',
      '-e',
      'dgram',
      '--sizes',
      '1,64,8928,9000',
      '--iters',
      '300',
      '--verify',
      '--json',
    ];
    await using child = start(host + 1, PINGPONG, args);
    const { code, stdout, stderr } = await child.ended(30_000);
    expect(code).toBe(0);
    expect(stderr).toContain('! 9000 skipped: efa sends at most 8928 bytes in a message');
    const { provider, measurements } = JSON.parse(stdout) as { provider: string; measurements: { size: number }[] };
    expect(provider).toBe('efa');
    expect(measurements.map(({ size }) => size)).toEqual([1, 64, 8928]);
    expect(counter(host + 1, 'tx_pkts')).toBeGreaterThan(3 * 300);
  });
}

describe.skipIf(missingEfa !== undefined)(`datagrams of libfabric 1.17's efa${title(missingEfa)}`, () => {
  describeDatagrams({
    start: (host, script, args = []) =>
      startOnHost(host, [process.execPath, script, ...args], { FI_EFA_ENABLE_SHM_TRANSFER: '0' }),
    host: 270,
    injectSize: 0,
    cqDataSize: 0,
    truncated: 'FI_EIO',
  });

  it.each(['server', 'client'])("are understood by C's fi_pingpong as the other end's %s", async (side) => {
    const port = side === 'server' ? '47690' : '47691';
    const common = ['-p', 'efa', '-e', 'dgram', '-c', '-S', 'all', '-I', '20'];
    const ours = [process.execPath, PINGPONG, '--compat', 'fi_pingpong', ...common];
    const theirs = ['fi_pingpong', ...common];
    const [serving, connecting] = side === 'server' ? [theirs, ours] : [ours, theirs];
    await using server = startOnHost(272, [...serving, '-B', port]);
    // fi_pingpong says nothing when it listens
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await using client = startOnHost(273, [...connecting, '-P', port, '127.0.0.1']);
    for (const end of [client, server]) {
      const { code, stdout, stderr } = await end.ended(30_000);
      expect(code, stderr).toBe(0);
      // each has compared what came
      expect(stdout.trim().split('\n').at(-1)).toMatch(/^ *(8k|8192) /);
    }
  });
});

const obstacle = missingEfa ?? debian13Obstacle();
describe.skipIf(obstacle !== undefined)(`datagrams of libfabric 2.1's efa${title(obstacle)}`, () => {
  describeDatagrams({
    start: (host, script, args = []) =>
      startOnHostInDebian13(host, ['/opt/node', `${CHECKOUT_IN_DEBIAN_13}/${script}`, ...args]),
    host: 280,
    injectSize: 32,
    cqDataSize: 4,
    truncated: 'FI_EMSGSIZE',
  });
});

import { getInfo, MulticastGroup } from 'node-libfabric';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Child } from './helpers/child.js';
import { openEndpoint } from './helpers/pair.js';
import { infoOf } from './helpers/providers.js';
import { rejection, within } from './helpers/within.js';

const [info] = getInfo(
  { caps: ['FI_MULTICAST', 'FI_MSG'], epAttr: { type: 'FI_EP_DGRAM' } },
  { node: '127.0.0.1', flags: 'FI_SOURCE' },
);
/** A network of its own, where multicast goes to the loopback interface and nowhere else. */
const NETWORK = 'ip link set lo up && ip link set lo multicast on && ip route add 239.0.0.0/8 dev lo';
const canUnshare = spawnSync('unshare', ['-rn', 'sh', '-c', NETWORK]).status === 0;

describe.skipIf(info === undefined)('MulticastGroup', () => {
  it.skipIf(!canUnshare)('delivers to who has joined (skipped where no network can be made)', async () => {
    const fixture = fileURLToPath(new URL('fixtures/multicast.mjs', import.meta.url));
    const script = `${NETWORK} && exec "$0" "$1"`;
    const child = new Child('multicast', 'unshare', ['-rn', 'sh', '-c', script, process.execPath, fixture], {});
    expect(await child.ended()).toMatchObject({ code: 0, stdout: 'to everyone\nFI_EINVAL\n' });
  });

  it('refuses addresses that are none, and endpoints without multicast', async () => {
    const endpoint = openEndpoint(info!);
    const join = (address: Uint8Array): Promise<Error> =>
      within(rejection(MulticastGroup.join(endpoint, address), 'joining'), 'joining');
    expect(await join(Buffer.alloc(3))).toBeInstanceOf(RangeError);
    expect((await join(endpoint.address)).message).toMatch(/is not in 224/);
    const plain = openEndpoint(infoOf('net'));
    expect(String(await rejection(MulticastGroup.join(plain, plain.address), 'joining'))).toMatch(
      /without FI_MULTICAST/,
    );
  });

  it('does not take a group for a peer of other operations', async () => {
    const endpoint = openEndpoint(info!);
    const somewhere = 2 ** 30;
    expect(
      await rejection(
        Promise.resolve().then(() => endpoint.send(new Uint8Array(1), somewhere)),
        'a send',
      ),
    ).toMatchObject({
      code: 'FI_EINVAL',
    });
    expect(() => endpoint.postSend(new Uint8Array(1), somewhere, 1)).toThrow(/FI_EINVAL/);
    expect(() => endpoint.inject(new Uint8Array(1), somewhere)).toThrow(/FI_EINVAL/);
  });
});

/** The device, proven by programs that are not ours: libfabric's own. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Child } from '../helpers/child.js';
import { debian13Obstacle } from '../helpers/debian-13.js';
import { counter, folder, missingEfa, startOnHost, startOnHostInDebian13 } from '../helpers/software-efa.js';

type Start = typeof startOnHost;

const title = (reason: string | undefined): string => (reason === undefined ? '' : ` (skipped: ${reason})`);

/** Ports of fi_pingpong's control connections, one for each test. */
let nextPort = 47_600;

/** Both ends of a fi_pingpong, on two hosts: the sizes that each has measured. */
async function pingpong(start: Start, args: readonly string[]): Promise<string[][]> {
  const port = String(nextPort++);
  const command = ['fi_pingpong', '-p', 'efa', '-c', '-S', 'all', ...args];
  await using server = start(1, [...command, '-B', port]);
  // it says nothing when it listens
  await delay(1000);
  await using client = start(2, [...command, '-P', port, '127.0.0.1']);
  const sizes = async (child: Child): Promise<string[]> => {
    const { code, signal, stdout, stderr } = await child.ended(60_000);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    const [header, ...lines] = stdout.trim().split('\n');
    expect(header).toMatch(/^bytes/);
    return lines.map((line) => line.split(/\s+/)[0]!);
  };
  return await Promise.all([sizes(client), sizes(server)]);
}

const LARGEST = { rdm: '6m', dgram: '8k', direct: '8k' };

function describeDevice(start: Start, version: string): void {
  it(`is listed by fi_info, ${version}`, async () => {
    await using child = start(1, ['fi_info', '-p', 'efa']);
    const { code, stdout } = await child.ended();
    expect(code).toBe(0);
    expect(stdout).toMatch(/domain: rdmap0s6-rdm\n +version: \S+\n +type: FI_EP_RDM\n +protocol: FI_PROTO_EFA/);
    expect(stdout).toMatch(/domain: rdmap0s6-dgrm\n +version: \S+\n +type: FI_EP_DGRAM\n +protocol: FI_PROTO_EFA/);
    expect(stdout.includes('fabric: efa-direct')).toBe(version !== '1.17');
  });

  it.each([
    // tagged: fi_pingpong of 2.1 takes efa-direct wherever it will do, which has no tags
    ['rdm', ['-e', 'rdm', '-m', 'tagged', '-I', '20']],
    ['dgram', ['-e', 'dgram', '-I', '100']],
    ...(version === '1.17' ? [] : ([['direct', ['-e', 'rdm', '-I', '100']]] as const)),
  ] as const)(
    'carries what fi_pingpong sends, and checks: %s',
    async (type, args) => {
      const before = { sent: 0, received: 0, read: 0 };
      const read = (): typeof before => ({
        sent: counter(2, 'tx_pkts'),
        received: counter(1, 'rx_pkts'),
        read: counter(2, 'rdma_read_bytes'),
      });
      await using first = start(2, ['fi_info', '-p', 'efa']);
      await first.ended();
      Object.assign(before, read());
      const [client, server] = await pingpong(start, args);
      expect(client).toEqual(server);
      expect(client!.length).toBeGreaterThan(20);
      expect(client!.at(-1)).toBe(LARGEST[type]);
      const after = read();
      expect(after.sent - before.sent).toBeGreaterThan(1000);
      expect(after.received - before.received).toBeGreaterThan(1000);
      // large messages are fetched by the receiver
      if (type === 'rdm') {
        expect(after.read - before.read).toBeGreaterThan(20 * 6 * 1024 * 1024);
        expect(counter(1, 'rdma_read_resp_bytes')).toBeGreaterThanOrEqual(after.read - before.read);
      }
      if (type !== 'rdm') expect(after.read).toBe(before.read);
    },
    90_000,
  );
}

/** As AWS lists them ("Monitor an Elastic Fabric Adapter"). */
const PORT_COUNTERS = [
  ...['tx_bytes', 'tx_pkts', 'rx_bytes', 'rx_pkts', 'rx_drops', 'lifespan'],
  ...['send_bytes', 'send_wrs', 'recv_bytes', 'recv_wrs'],
  ...['rdma_read_wrs', 'rdma_read_bytes', 'rdma_read_wr_err', 'rdma_read_resp_bytes'],
  ...['rdma_write_wrs', 'rdma_write_bytes', 'rdma_write_wr_err', 'rdma_write_recv_bytes'],
  ...['retrans_bytes', 'retrans_pkts', 'retrans_timeout_events'],
  ...['unresponsive_remote_events', 'impaired_remote_conn_events'],
].sort();
const DEVICE_COUNTERS = [
  ...['submitted_cmds', 'completed_cmds', 'cmds_err', 'no_completion_cmds', 'keep_alive_rcvd'],
  ...[
    'alloc_pd_err',
    'create_qp_err',
    'create_cq_err',
    'reg_mr_err',
    'alloc_ucontext_err',
    'create_ah_err',
    'mmap_err',
  ],
].sort();

const DEVICE_STATISTICS = ['softefa_rnr', 'softefa_delayed', 'softefa_injected', 'softefa_unsolicited'];

describe.skipIf(missingEfa !== undefined)(`the device under Debian 12's libfabric${title(missingEfa)}`, () => {
  describeDevice(startOnHost, '1.17');

  it('has in its /sys what tools look for', async () => {
    await using child = startOnHost(7, ['fi_info', '-p', 'efa', '-v'], { SOFTEFA_DEVICES: '2' });
    const { stdout } = await child.ended();
    expect(stdout).toMatch(/device_id: 0xefa2/);
    expect(stdout).toMatch(/driver: efa/);
    const sys = `${folder}/host-7`;
    expect(readdirSync(`${sys}/class/infiniband`).sort()).toEqual(['rdmap0s6', 'rdmap0s7']);
    expect(readdirSync(`${sys}/bus/pci/drivers/efa`).sort()).toEqual(['0000:00:06.0', '0000:00:07.0']);
    const device = `${sys}/class/infiniband/rdmap0s7`;
    expect(readFileSync(`${device}/device/vendor`, 'utf8')).toBe('0x1d0f\n');
    expect(readFileSync(`${device}/device/device`, 'utf8')).toBe('0xefa2\n');
    expect(readlinkSync(`${device}/device/driver`)).toMatch(/\/efa$/);
    expect(readFileSync(`${device}/ports/1/state`, 'utf8')).toBe('4: ACTIVE\n');
    expect(readFileSync(`${device}/ports/1/gids/0`, 'utf8')).toBe('fe80:0000:0000:0000:0000:0007:0000:0002\n');
    expect(readFileSync(`${device}/node_type`, 'utf8')).toBe('7: <unknown>\n');
    expect(readFileSync(`${sys}/class/infiniband_verbs/uverbs1/dev`, 'utf8')).toBe('231:193\n');
    expect(readdirSync(`${sys}/dev/infiniband`).sort()).toEqual(['uverbs0', 'uverbs1']);
    expect(counter(7, 'tx_pkts', 'rdmap0s7')).toBe(0);
    // the counters of an EFA, and none that it has not
    expect(readdirSync(`${device}/ports/1/hw_counters`).sort()).toEqual(PORT_COUNTERS);
    expect(readdirSync(`${device}/hw_counters`).sort()).toEqual(DEVICE_COUNTERS);
    const statistics = readFileSync(`${sys}/softefa/rdmap0s7`, 'utf8');
    for (const name of [...PORT_COUNTERS, ...DEVICE_COUNTERS, ...DEVICE_STATISTICS]) {
      if (name !== 'lifespan') expect(statistics).toMatch(new RegExp(`^${name} +\\d+$`, 'm'));
    }
  });
});

const obstacle = missingEfa ?? debian13Obstacle();
describe.skipIf(obstacle !== undefined)(`the device under Debian 13's libfabric${title(obstacle)}`, () => {
  describeDevice(startOnHostInDebian13, '2.1');
});

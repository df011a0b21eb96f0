/** Why nothing comes through to another node: `fabric-doctor --peer`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Report } from 'node-libfabric/doctor';
import { Programs } from '../cli/program.js';
import { betweenTwoHosts, inside, ip } from '../helpers/two-hosts.js';

const DOCTOR = fileURLToPath(new URL('../../dist/cli/fabric-doctor.js', import.meta.url));
const SERVE = ['On the peer: npx fabric-pingpong serve --provider efa'];
/** Of `fabric-pingpong serve`. */
const CONTROL_PORT = 47593;

type CheckOfReport = Report['checks'][number];

/** What the doctor finds at a peer. */
async function doctor(peer: string, provider: string, wrapper: readonly string[] = []): Promise<CheckOfReport> {
  const [command, ...args] = [...wrapper, process.execPath, DOCTOR, '--json', '--peer', peer, '--provider', provider];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  const [code] = (await once(child, 'close')) as [number | null];
  const { checks } = JSON.parse(text) as Report;
  const traffic = checks.find(({ id }) => id === 'NET-03')!;
  expect(code).toBe(traffic.status === 'pass' ? 3 : 2);
  return traffic;
}

const programs = new Programs();
afterEach(() => programs.endAll());

describe('a peer on this host', () => {
  it('serves, does not, is silent, or has no name', { timeout: 60_000 }, async () => {
    const server = programs.start(['serve', '--bind', '127.0.0.1']);
    await server.port();
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    try {
      await once(silent, 'listening');
      const { port } = silent.address() as AddressInfo;
      const peers = ['127.0.0.1', '127.0.0.1:1', `127.0.0.1:${port}`, 'no-such-host.invalid'];
      const [works, closed, hung, unknown] = await Promise.all(peers.map((peer) => doctor(peer, 'tcp')));
      expect(works).toMatchObject({ status: 'pass', message: 'traffic goes to 127.0.0.1 and back' });
      expect(closed).toMatchObject({
        status: 'fail',
        message: '127.0.0.1 is alive, but no server is ready at port 1',
        fix: SERVE,
      });
      expect(hung!.status).toBe('fail');
      expect(hung!.message).toMatch(/takes the TCP connection and says nothing/);
      expect(unknown).toMatchObject({
        status: 'fail',
        message: 'there is no host by the name of no-such-host.invalid',
      });
    } finally {
      silent.close();
    }
  });
});

betweenTwoHosts('a peer on another host', (one, other) => {
  const { address } = one.links[0];
  const examine = (provider: string): Promise<CheckOfReport> => doctor(address, provider, inside(other));

  /** What the first host does not send while `body` runs, as a security group would drop it: selectors of ip-rule(8). */
  async function dropping(rules: readonly string[], body: () => Promise<void>): Promise<void> {
    const change = (action: string): void => {
      for (const rule of rules) ip('-n', one.name, 'rule', action, ...rule.split(' '), 'blackhole');
    };
    change('add');
    try {
      await body();
    } finally {
      change('delete');
    }
  }

  /** A server that takes one provider only. */
  async function serve(provider: string): Promise<void> {
    await programs.start(['serve', '--keep', '--provider', provider], { wrapper: inside(one) }).port();
  }

  it('is reached', async () => {
    await serve('net');
    expect(await examine('net')).toMatchObject({ status: 'pass', message: `traffic goes to ${address} and back` });
  });

  it('has chosen another provider', async () => {
    await serve('net');
    const { message } = await examine('tcp;ofi_rxm');
    expect(message).toMatch(/answers, but does not fit: the ends have no provider in common.*only net was asked for/);
  });

  it('is behind a security group that lets the control connection through, and no data', async () => {
    await serve('net');
    const data = ['ipproto tcp sport 1024-47592', 'ipproto tcp sport 47594-65534'];
    await dropping(data, async () => {
      const { message, fix } = await examine('net');
      expect(message).toMatch(
        /answers over TCP, but nothing comes through over the fabric: a security group blocks it/,
      );
      expect(fix[0]).toMatch(/two rules, all traffic \(-1\)/);
    });
  });

  it('is behind a security group that drops the control connection', async () => {
    await dropping([`ipproto tcp sport ${CONTROL_PORT}`], async () => {
      const { message } = await examine('net');
      expect(message).toBe(
        `${address} is alive (port 22 answers), but TCP port ${CONTROL_PORT} does not: a security group drops it`,
      );
    });
  });

  it('does not run its server', async () => {
    expect(await examine('net')).toMatchObject({
      message: `${address} is alive, but no server is ready at port ${CONTROL_PORT}`,
      fix: SERVE,
    });
  });

  it('is dead, or as good as that', async () => {
    await dropping([`to ${other.links[0].address}`], async () => {
      const { message, fix } = await examine('net');
      expect(message).toMatch(/does not answer at all \(ETIMEDOUT\): it is dead, in another network/);
      expect(fix[0]).toBe('See whether the instance runs.');
    });
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PingpongResult } from 'node-libfabric/bench';
import { Programs, TINY } from './program.js';

const id = process.pid;
const subnet = id % 250;
const hosts = ['a', 'b'].map((letter, index) => ({
  name: `fabric-${letter}-${id}`,
  /** Two cables, so that data and control can go different ways. */
  links: [10, 11].map((network) => ({
    name: `f${letter}${network}-${id}`,
    address: `10.${network + 190}.${subnet}.${index + 1}`,
  })),
}));
const [one, other] = hosts as [Host, Host];
type Host = (typeof hosts)[number];

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
const inside = ({ name }: Host): string[] => ['ip', 'netns', 'exec', name];

/** Why there can be no namespaces here; undefined when there can. */
function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  const trial = `fabric-trial-${id}`;
  const added = spawnSync('ip', ['netns', 'add', trial], { encoding: 'utf8' });
  if (added.error) return `no ip command: ${added.error.message}`;
  if (added.status !== 0) return `no network namespaces: ${added.stderr.trim()}`;
  ip('netns', 'delete', trial);
  return undefined;
}

const reason = whyNot();
if (reason !== undefined) console.log(`skipped: two hosts: ${reason}`);

describe.skipIf(reason !== undefined)('fabric-pingpong between two hosts', () => {
  const programs = new Programs();

  beforeAll(() => {
    for (const { name } of hosts) ip('netns', 'add', name);
    for (const [index, { name }] of one.links.entries()) {
      const end = ['netns', one.name, 'type', 'veth'];
      const otherEnd = ['name', other.links[index]!.name, 'netns', other.name];
      ip('link', 'add', name, ...end, 'peer', ...otherEnd);
    }
    for (const host of hosts) {
      ip('-n', host.name, 'link', 'set', 'lo', 'up');
      for (const { name, address } of host.links) {
        ip('-n', host.name, 'address', 'add', `${address}/24`, 'dev', name);
        ip('-n', host.name, 'link', 'set', name, 'up');
      }
    }
  });

  afterEach(() => programs.endAll());

  afterAll(() => {
    for (const { name } of hosts) spawnSync('ip', ['netns', 'delete', name]);
  });

  const [control, detour] = one.links as [Link, Link];
  type Link = Host['links'][number];

  it('agrees on a provider that both reach, and sends the data where the control goes', async () => {
    const server = programs.start(['serve'], { wrapper: inside(one) });
    await server.port();
    const client = programs.start([control.address, '--json', ...TINY], { wrapper: inside(other) });
    expect(await client.exitCode).toBe(0);
    expect(await server.exitCode).toBe(0);
    const result = client.json as unknown as PingpongResult;
    expect(result.protocol).toMatch(/^FI_PROTO_(RXM|XNET)$/);
    expect(result.measurements).toHaveLength(2);
    for (const [host, end] of [
      [one, result.server],
      [other, result.client],
    ] as const) {
      expect(end).toMatchObject({
        controlAddress: host.links[0]!.address,
        dataAddress: expect.stringMatching(`^${host.links[0]!.address}:`) as string,
        domain: host.links[0]!.name,
      });
    }
    expect(result.warnings.map(({ code }) => code)).not.toContain('DATA_ADDRESS');
    const shm = result.notUsed.find(({ provider }) => provider === 'shm');
    expect(shm?.reason).toMatch(/both ends on one host: .*namespaces \(.*net\)/);
  });

  it('follows the control connection to the second interface', async () => {
    const server = programs.start(['serve'], { wrapper: inside(one) });
    await server.port();
    const client = programs.start([detour.address, '--json', ...TINY], { wrapper: inside(other) });
    expect(await client.exitCode).toBe(0);
    const result = client.json as unknown as PingpongResult;
    expect(result.server.dataAddress).toMatch(`${detour.address}:`);
  });

  it('warns above the table when the data leaves from elsewhere than the control', async () => {
    const wrapper = [...inside(one), 'env', `FI_TCP_IFACE=${detour.name}`];
    const server = programs.start(['serve', '-p', 'tcp'], { wrapper });
    await server.port();
    const client = programs.start([control.address, ...TINY], { wrapper: inside(other) });
    expect(await client.exitCode).toBe(0);
    const text = client.stdout.replace(/\s+/g, ' ');
    expect(text).toContain(
      `! the server's data leaves from ${detour.address} (${detour.name}), its control connection from ${control.address}`,
    );
    expect(text.indexOf("! the server's data")).toBeLessThan(text.indexOf('bytes iters'));
  });
});

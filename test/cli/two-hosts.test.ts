import { afterEach, expect, it } from 'vitest';
import type { PingpongResult } from 'node-libfabric/bench';
import { betweenTwoHosts, inside } from '../helpers/two-hosts.js';
import { Programs, TINY } from './program.js';

betweenTwoHosts('fabric-pingpong between two hosts', (one, other) => {
  const programs = new Programs();
  const [control, detour] = one.links;

  afterEach(() => programs.endAll());

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
        controlAddress: host.links[0].address,
        dataAddress: expect.stringMatching(`^${host.links[0].address}:`) as string,
        domain: host.links[0].name,
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

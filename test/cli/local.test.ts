import { afterEach, describe, expect, it } from 'vitest';
import type { PingpongResult } from 'node-libfabric/bench';
import { ENDLESS, has, Programs, TINY } from './program.js';

const programs = new Programs();
afterEach(() => programs.endAll());

const PROVIDERS = ['shm', 'net', 'tcp', 'tcp;ofi_rxm', 'sockets'];

describe('fabric-pingpong local', () => {
  describe.each(PROVIDERS)('over %s', (provider) => {
    it.skipIf(!has(provider)).each(['batch', 'await'])('measures through the %s door', async (door) => {
      const program = programs.start(['local', '--json', '-p', provider, '--door', door, ...TINY]);
      expect(await program.exitCode).toBe(0);
      const result = program.json as unknown as PingpongResult & { ok: boolean };
      expect(result).toMatchObject({ ok: true, provider });
      expect(result.client.libfabric).toMatch(/^\d+\.\d+$/);
      expect(result.measurements.map(({ size }) => size)).toEqual([64, 65_536]);
      for (const { latency, bandwidth } of result.measurements) {
        const { min, p50, p90, p99, p999, max, mean } = latency!;
        expect(latency).toMatchObject({ iterations: 50, complete: true });
        expect(min).toBeGreaterThan(0);
        expect([min, p50, p90, p99, p999, max]).toEqual(
          [min, p50, p90, p99, p999, max].sort((one, other) => one - other),
        );
        expect(mean).toBeGreaterThanOrEqual(min);
        expect(mean).toBeLessThanOrEqual(max);
        expect(bandwidth!.megabytesPerSecond).toBeGreaterThan(0);
        expect(bandwidth!.messages).toBe(bandwidth!.windows * bandwidth!.window);
      }
      expect(program.descendants()).toEqual([]);
    });
  });

  it('chooses the best by itself, says which and why not the others', async () => {
    const program = programs.start(['local', ...TINY]);
    expect(await program.exitCode).toBe(0);
    const lines = program.stdout.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const text = program.stdout.replace(/\s+/g, ' ');
    expect(text).toMatch(/^\S+ \(FI_PROTO_\w+, FI_EP_RDM\), msg, batch door/);
    expect(text).toMatch(/why the best of the client/);
    expect(text).toMatch(/not used .*ranked after/);
    expect(text).toMatch(/bytes iters min p50 p90 p99 p99.9 max µs MB\/s 64 50 (\S+ ){7}65536 50 /);
    if (!has('efa')) {
      expect(program.stdout.indexOf('! efa not used: ')).toBeGreaterThan(0);
      expect(program.stdout.indexOf('! efa')).toBeLessThan(program.stdout.indexOf('bytes'));
    }
    // how far it is, where that takes long
    expect(program.stderr.replace(/^\d+ B \w+: \d+ % \(\d of 2\)\n/gm, '')).toBe('');
  });

  it.skipIf(!has('shm'))('takes shared memory where nothing is faster', async () => {
    const program = programs.start(['local', '--json', ...TINY]);
    expect(await program.exitCode).toBe(0);
    const { provider, notUsed } = program.json as unknown as PingpongResult;
    if (!has('efa')) expect(provider).toBe('shm');
    expect(notUsed.map((other) => other.provider)).not.toContain(provider);
    expect(notUsed.every(({ reason }) => reason.length > 0)).toBe(true);
  });

  it.skipIf(!has('tcp;ofi_rxm') || has('tcp'))(
    'takes tcp;ofi_rxm for tcp where tcp alone has no reliable endpoints',
    async () => {
      const program = programs.start(['local', '--json', '-p', 'tcp', ...TINY]);
      expect(await program.exitCode).toBe(0);
      expect(program.json).toMatchObject({ provider: 'tcp;ofi_rxm' });
    },
  );

  it.each([
    [['-p', 'nosuch'], /^provider nosuch cannot be used on this host; it has /],
    [['--require', 'nosuch'], /^nosuch is required: provider nosuch cannot be used/],
  ])('refuses %j with exit code 3', async (options, message) => {
    const program = programs.start(['local', '--json', ...options, ...TINY]);
    expect(await program.exitCode).toBe(3);
    expect(program.json).toMatchObject({
      ok: false,
      error: {
        code: 'NO_PROVIDER',
        exitCode: 3,
        message: expect.stringMatching(message) as string,
      },
    });
    expect(program.descendants()).toEqual([]);
  });

  it.skipIf(!has('shm') || !has('net'))('refuses what is there but not the best with --require', async () => {
    const program = programs.start(['local', '--require', 'net', ...TINY]);
    expect(await program.exitCode).toBe(3);
    expect(program.stdout).toBe('');
    await program.says(/net is required, but the ends would use \S+; net: ranked after/);
  });

  it('prints what it has on SIGINT, and leaves no process', async () => {
    const program = programs.start(['local', '--json', ...ENDLESS], { debug: true });
    await program.measures();
    expect(program.descendants()).toHaveLength(1);
    program.child.kill('SIGINT');
    expect(await program.exitCode).toBe(130);
    expect(program.json).toMatchObject({
      ok: false,
      interrupted: true,
      error: { code: 'INTERRUPTED', exitCode: 130 },
      measurements: [{ size: 64, latency: { complete: false } }],
    });
    expect(program.descendants()).toEqual([]);
  });

  it('prints the table of what it has on SIGINT', async () => {
    const program = programs.start(['local', ...ENDLESS], { debug: true });
    await program.measures();
    program.child.kill('SIGINT');
    expect(await program.exitCode).toBe(130);
    expect(program.stdout).toMatch(/\n +64 +\d+! +\d/);
    expect(program.stderr).toMatch(/interrupted in latency \(64 bytes\)/);
  });

  it('reports a server process that was killed, within its deadline', async () => {
    const program = programs.start(['local', '--json', ...ENDLESS], { debug: true });
    await program.measures();
    const [server] = program.descendants();
    process.kill(server!, 'SIGKILL');
    expect(await program.exitCode).toBe(8);
    expect(program.json).toMatchObject({
      ok: false,
      interrupted: false,
      error: { code: 'PEER_LOST', message: expect.stringMatching(/^peer lost in latency/) as string },
      measurements: [{ size: 64, latency: { complete: false } }],
    });
  });

  it('leaves no server behind when it is killed itself', async () => {
    const program = programs.start(['local', ...ENDLESS], { debug: true });
    await program.measures();
    expect(program.descendants()).toHaveLength(1);
    program.child.kill('SIGKILL');
    expect(await program.exitCode).toBeNull();
    await expect.poll(() => program.descendants(), { timeout: 5000 }).toEqual([]);
  });
});

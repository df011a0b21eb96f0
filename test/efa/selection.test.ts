/** efa is taken where it can be used, and where it cannot, the true reason is told. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PingpongResult } from 'node-libfabric/bench';
import { Programs, TINY } from '../cli/program.js';
import { CHECKOUT_IN_DEBIAN_13, debian13Obstacle } from '../helpers/debian-13.js';
import { folder, missingEfa, startOnHost, startOnHostInDebian13 } from '../helpers/software-efa.js';

const FIXTURE = 'test/fixtures/selection.mjs';
const RUN = fileURLToPath(new URL('../softefa/run.sh', import.meta.url));

interface Selected {
  readonly version: string;
  readonly listed: readonly string[];
  readonly provider: string;
  readonly reason: string;
  readonly efa?: string;
}

async function selectOn(host: number, environment: NodeJS.ProcessEnv, inDebian13 = false): Promise<Selected> {
  await using child = inDebian13
    ? startOnHostInDebian13(host, ['/opt/node', `${CHECKOUT_IN_DEBIAN_13}/${FIXTURE}`], environment)
    : startOnHost(host, [process.execPath, FIXTURE], environment);
  const { code, stdout, stderr } = await child.ended();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Selected;
}

interface Cause {
  readonly environment: NodeJS.ProcessEnv;
  readonly reason: RegExp;
  readonly isListed?: boolean;
}

const WITHOUT_EFA = join(folder, 'without-efa.so');

/** Each on a host of its own, whose /sys it makes. */
const CAUSES: Record<string, Cause> = {
  'there is none': {
    environment: { SOFTEFA_DEVICES: '0' },
    reason: /^no device is bound to the efa driver \(.*\/bus\/pci\/drivers\/efa\)$/,
  },
  'its port is down': {
    environment: { SOFTEFA_PORT: 'down' },
    reason: /^the port of rdmap0s6 is down$/,
    isListed: true,
  },
  'it is not an EFA': {
    environment: { SOFTEFA_KIND: 'other' },
    reason: /^no device is bound to the efa driver \(.*\/bus\/pci\/drivers\/efa\)$/,
  },
  'it cannot be opened': {
    environment: { SOFTEFA_OPEN_ERRNO: '13' },
    reason: /^the device cannot be opened: \/dev\/infiniband\/uverbs0 \(E(NOENT|ACCES)\)$/,
  },
  'FI_PROVIDER hides it': {
    environment: { FI_PROVIDER: '^efa' },
    reason: /^hidden by FI_PROVIDER=\^efa$/,
  },
  'libfabric was built without it': {
    environment: { NODE_LIBFABRIC_LIBRARY: WITHOUT_EFA },
    reason: /^libfabric 1\.17 was built without it: .*\/without-efa\.so$/,
  },
};

/** A libfabric as of a distribution that leaves efa out. */
function compileLibraryWithoutEfa(): void {
  const map = join(folder, 'without-efa.map');
  writeFileSync(map, 'FABRIC_1.3 { global: fi_getinfo; };\n');
  const linking = ['-shared', '-fPIC', `-Wl,--version-script=${map}`, '-Wl,--no-as-needed'];
  const source = 'test/fixtures/without-efa.c';
  execFileSync('cc', [...linking, '-o', WITHOUT_EFA, source, '-lfabric'], { timeout: 20_000 });
}

const title = missingEfa === undefined ? '' : ` (skipped: ${missingEfa})`;

describe.skipIf(missingEfa !== undefined)(`a device of EFA${title}`, () => {
  const programs = new Programs();
  beforeAll(compileLibraryWithoutEfa);
  afterEach(() => programs.endAll());

  const pingpong = (args: readonly string[], host: number, environment: NodeJS.ProcessEnv = {}) =>
    programs.start(args, {
      wrapper: [
        'env',
        ...Object.entries(environment).map(([name, value]) => `${name}=${value ?? ''}`),
        RUN,
        String(host),
      ],
    });

  it('comes first in the list, and is taken without being asked for', async () => {
    expect(await selectOn(10, {})).toMatchObject({
      version: '1.17',
      listed: expect.arrayContaining(['efa', 'net']) as unknown,
      provider: 'efa',
      reason: 'efa comes before every other provider',
    });
    expect((await selectOn(10, {})).listed[0]).toBe('efa');
  });

  const obstacle = debian13Obstacle();
  describe.skipIf(obstacle !== undefined)(`on libfabric 2.1${obstacle === undefined ? '' : ` (${obstacle})`}`, () => {
    let nextHost = 60;

    it('comes first, with the same addon', async () => {
      const { version, listed, provider } = await selectOn(11, {}, true);
      expect({ version, first: listed[0], provider }).toEqual({ version: '2.1', first: 'efa', provider: 'efa' });
    });

    it.each([
      ['there is none', { SOFTEFA_DEVICES: '0' }, /^no device is bound to the efa driver/],
      ['it is not an EFA', { SOFTEFA_KIND: 'other' }, /^no device is bound to the efa driver/],
      ['its port is down', { SOFTEFA_PORT: 'down' }, /^the port of rdmap0s6 is down$/],
      ['FI_PROVIDER hides it', { FI_PROVIDER: 'tcp,shm' }, /^hidden by FI_PROVIDER=tcp,shm$/],
      [
        'FI_EFA_IFACE names another',
        { FI_EFA_IFACE: 'rdmap9s9' },
        /^FI_EFA_IFACE=rdmap9s9 names none of the devices rdmap0s6$/,
      ],
    ])('is not taken when %s, which is said', async (_, environment, reason) => {
      const host = nextHost++;
      const program = ['/opt/node', `${CHECKOUT_IN_DEBIAN_13}/dist/cli/fabric-pingpong.js`, 'local', ...TINY];
      await using required = startOnHostInDebian13(host, [...program, '--require', 'efa'], environment);
      const { provider, efa } = await selectOn(host, environment, true);
      expect(provider).not.toBe('efa');
      expect(efa).toMatch(reason);
      const { code, stderr } = await required.ended();
      expect(code).toBe(3);
      expect(stderr.replace(/\s+/g, ' ')).toMatch(new RegExp(reason.source.replaceAll(/^\^|\$$/g, '')));
    });

    it('is what fabric-pingpong takes', async () => {
      const program = ['/opt/node', `${CHECKOUT_IN_DEBIAN_13}/dist/cli/fabric-pingpong.js`, 'local', ...TINY];
      await using child = startOnHostInDebian13(11, program);
      const { code, stdout, stderr } = await child.ended(30_000);
      expect(code).toBe(0);
      expect(stdout + stderr).toMatch(/efa \(FI_PROTO_EFA, FI_EP_RDM\)/);
    });
  });

  it.each(Object.entries(CAUSES).map(([cause, rest], index) => ({ cause, host: 20 + index, ...rest })))(
    'is not taken when $cause, which is said',
    async ({ host, environment, reason, isListed = false }) => {
      // the tool falls back as well, and refuses to where it is told to
      const either = pingpong(['local', ...TINY, '--json'], host, environment);
      const required = pingpong(['local', ...TINY, '--require', 'efa'], host, environment);
      const selected = await selectOn(host, environment);
      expect(selected.listed.includes('efa')).toBe(isListed);
      expect(selected.provider).not.toBe('efa');
      expect(selected.efa).toMatch(reason);

      expect(await either.exitCode).toBe(0);
      expect(either.json['provider']).not.toBe('efa');
      expect(await required.exitCode).toBe(3);
      const sentence = required.stderr.replace(/\s+/g, ' ');
      // the reason in the middle of a sentence
      expect(sentence).toMatch(new RegExp(reason.source.replaceAll(/^\^|\$$/g, '')));
    },
  );

  it('is what fabric-pingpong local takes, and says', async () => {
    const program = pingpong(['local', ...TINY, '--json'], 10, { FI_EFA_ENABLE_SHM_TRANSFER: '0' });
    expect(await program.exitCode).toBe(0);
    expect(program.json).toMatchObject({ ok: true, provider: 'efa', protocol: 'FI_PROTO_EFA', warnings: [] });
    // what the device has counted meanwhile
    expect(program.json['counters']).toContainEqual({
      device: 'rdmap0s6',
      counter: 'tx_bytes',
      delta: expect.any(Number) as unknown,
    });
    const required = pingpong(['local', ...TINY, '--require', 'efa'], 10);
    expect(await required.exitCode).toBe(0);
    expect(required.stdout + required.stderr).toMatch(/efa \(FI_PROTO_EFA, FI_EP_RDM\)/);
  });

  it('is what fabric-pingpong takes between two hosts, and says at both ends', async () => {
    const server = pingpong(['serve', '--bind', '127.0.0.1', '--port', '0'], 12);
    const client = pingpong(['127.0.0.1', '--port', await server.port(), ...TINY], 13);
    expect(await client.exitCode).toBe(0);
    expect(await server.exitCode).toBe(0);
    expect(client.stdout + client.stderr).toMatch(/efa \(FI_PROTO_EFA, FI_EP_RDM\)/);
    expect(server.stderr).toMatch(/offering efa,/);
    expect(server.stderr).toMatch(/: efa, 4 phases: done/);
  });

  it('proves by its counters that the data went over it', async () => {
    const size = 65_536;
    const iterations = 1000;
    const server = pingpong(['serve', '--bind', '127.0.0.1', '--port', '0'], 40);
    const args = ['--sizes', String(size), '--iters', String(iterations), '--test', 'lat', '--json'];
    const client = pingpong(['127.0.0.1', '--port', await server.port(), ...args], 41);
    expect(await client.exitCode).toBe(0);
    const { counters, warnings } = client.json as unknown as PingpongResult;
    const received = counters.find(({ counter }) => counter === 'rx_bytes' || counter === 'rdma_read_bytes');
    expect(counters.every(({ device }) => device === 'rdmap0s6')).toBe(true);
    expect(received?.delta).toBeGreaterThan(0);
    const bytes = counters
      .filter(({ counter }) => counter.endsWith('_bytes'))
      .reduce((sum, { delta }) => sum + delta, 0);
    // a device writes its counters now and then: the last messages may not be among them
    expect(bytes).toBeGreaterThan(0.9 * size * iterations);
    expect(warnings.map(({ code }) => code)).not.toContain('COUNTERS_FLAT');
  });

  it('warns when its counters stood still: the data went over shared memory', async () => {
    const program = pingpong(['local', '-p', 'efa', ...TINY], 42, { FI_EFA_ENABLE_SHM_TRANSFER: '1' });
    expect(await program.exitCode).toBe(0);
    expect(program.stdout).toMatch(/^! the counters of rdmap0s6 did not move: did the data go over efa\?$/m);
  });

  it('fails with what the provider says when a transfer fails: exit 1', async () => {
    const server = pingpong(['serve', '--bind', '127.0.0.1', '--port', '0'], 43);
    // not for latency: what is injected reports nothing
    const args = ['--sizes', '64', '--iters', '1000', '--test', 'bw'];
    const client = pingpong(['127.0.0.1', '--port', await server.port(), ...args], 44, {
      SOFTEFA_FAIL: 'send:100+:13',
    });
    expect(await client.exitCode).toBe(1);
    await client.says(/fabric-pingpong: a send failed in bandwidth, size 64, iteration \d+: .*; the provider says: /);
    expect(await server.exitCode).toBe(1);
  });

  it('is not passed over for software in silence: exit 4, unless that is allowed', async () => {
    const hidden = { FI_PROVIDER: 'net' };
    const refused = pingpong(['local', ...TINY, '--json'], 45, hidden);
    expect(await refused.exitCode).toBe(4);
    expect(refused.json).toMatchObject({
      error: {
        code: 'FALLBACK_REFUSED',
        exitCode: 4,
        message: 'RDMA device rdmap0s6 is there, and the ends would use net, which does not use it',
      },
    });
    const allowed = pingpong(['local', ...TINY, '--allow-fallback'], 45, hidden);
    expect(await allowed.exitCode).toBe(0);
    expect(allowed.stdout.replace(/\s+/g, ' ')).toContain('! efa not used: hidden by FI_PROVIDER=net');
  });

  it('is missed between two hosts: software that goes unnoticed is refused', async () => {
    // both are this machine, where there is shared memory
    const server = pingpong(['serve', '--bind', '127.0.0.1', '--port', '0'], 14, { FI_PROVIDER: '^shm' });
    const environment = { SOFTEFA_PORT: 'down', FI_PROVIDER: '^shm' };
    const client = pingpong(['127.0.0.1', '--port', await server.port(), ...TINY], 15, environment);
    expect(await client.exitCode).toBe(4);
    expect(client.stderr.replace(/\s+/g, ' ')).toMatch(/RDMA device rdmap0s6 is there, and the ends would use/);
  });
});

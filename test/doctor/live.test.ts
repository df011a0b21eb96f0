/** What only a running libfabric can say: from a bundle of such a machine, and of this one. */
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { examine, TreeHost, type CheckResult, type LiveFacts } from 'node-libfabric/doctor';
import { changed, DISTRIBUTION, EFA_LIB, healthy, write } from './machines.js';

const program = (name: string): string => fileURLToPath(new URL(`../../dist/cli/${name}.js`, import.meta.url));
const p4d = healthy('p4d.24xlarge');
const good: LiveFacts = {
  libraryPath: `${EFA_LIB}/libfabric.so.1.30.0`,
  libraryVersion: '2.4',
  efa: { domains: ['rdmap16s27-rdm', 'rdmap32s27-rdm', 'rdmap144s27-rdm', 'rdmap160s27-rdm'], fabrics: ['efa'] },
  hmem: { domains: ['rdmap16s27-rdm'], fabrics: ['efa'] },
  first: 'efa',
  mapped: [`${EFA_LIB}/libfabric.so.1.30.0`],
};

function look(live: LiveFacts): { verdict: string; first: string | undefined; of: (id: string) => CheckResult } {
  const machine = changed(p4d, { files: { '/.fabric-doctor/live.json': JSON.stringify(live) } });
  const { results, verdict, firstFailure } = examine(new TreeHost(write(machine)));
  const of = (id: string): CheckResult => results.find(({ check }) => check.id === id)!;
  return { verdict, first: firstFailure?.check.id, of };
}

describe('what libfabric answered', () => {
  it('is observed where all is well', () => {
    const { verdict, of } = look(good);
    expect(verdict).toBe('usable');
    expect(['LF-04', 'LF-05', 'LF-06'].map((id) => of(id).status)).toEqual(['pass', 'pass', 'pass']);
  });

  it('counts more than what the files promise', () => {
    const { verdict, first, of } = look({
      ...good,
      first: 'tcp',
      efa: { domains: [], fabrics: [], error: 'FI_ENODATA' },
    });
    expect([verdict, first]).toEqual(['fallback', 'LF-04']);
    expect(of('LF-04').message).toBe('fi_getinfo for efa: FI_ENODATA');
    expect(of('LF-05').blockedBy).toBe('LF-04');
  });

  it('may be that it ended the process', () => {
    expect(look({ failure: 'the process that asked libfabric ended with SIGABRT' })).toMatchObject({
      verdict: 'unusable',
      first: 'LF-04',
    });
  });

  it('may be fewer devices, no GPU memory, two copies', () => {
    const fewer = look({ ...good, efa: { domains: ['rdmap16s27-rdm'], fabrics: ['efa'] } });
    expect([fewer.verdict, fewer.first]).toEqual(['degraded', 'LF-04']);
    const hmem = look({ ...good, hmem: { domains: [], fabrics: [], error: 'FI_ENODATA' } });
    expect([hmem.verdict, hmem.first]).toEqual(['degraded', 'LF-05']);
    const twice = look({ ...good, mapped: [...good.mapped!, `${DISTRIBUTION}/libfabric.so.1.20.0`] });
    expect([twice.verdict, twice.of('LF-06').message]).toEqual(['degraded', '2 copies are mapped']);
  });
});

describe('traffic', { timeout: 60_000 }, () => {
  const doctor = (...args: string[]): { status: number | null; stdout: string } =>
    spawnSync(process.execPath, [program('fabric-doctor'), ...args, '--provider', 'tcp'], { encoding: 'utf8' });

  it('goes through this node', () => {
    expect(doctor('--loopback')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^PASS {2}tcp: traffic goes/) as string,
    });
  });

  it('tells a peer that does not serve from one that does', async () => {
    expect(doctor('--peer', '127.0.0.1')).toMatchObject({
      status: 2,
      stdout: expect.stringMatching(/control connection \(TCP\) was not made[^]*fabric-pingpong serve/) as string,
    });
    const server = spawn(process.execPath, [program('fabric-pingpong'), 'serve', '--bind', '127.0.0.1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      await new Promise((done) => server.stderr.once('data', done));
      expect(doctor('--peer', '127.0.0.1')).toMatchObject({ status: 0 });
    } finally {
      server.kill('SIGKILL');
    }
  });

  it('needs efa unless told otherwise', () => {
    const { status, stdout } = spawnSync(process.execPath, [program('fabric-doctor'), '--loopback'], {
      encoding: 'utf8',
    });
    if (status !== 0) expect(stdout).toMatch(/^FAIL {2}efa[^]*this node cannot use the provider/);
  });
});

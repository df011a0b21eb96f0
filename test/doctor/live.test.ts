/** What only a running libfabric can say: from a bundle of such a machine, and of this one. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { examine, TreeHost, type CheckResult, type LiveFacts, type Report } from 'node-libfabric/doctor';
import { changed, DISTRIBUTION, EFA_LIB, healthy, write } from './machines.js';

type CheckOfReport = Report['checks'][number];

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
    expect([twice.verdict, twice.of('LF-06').message]).toEqual([
      'degraded',
      `2 copies are mapped: ${twice
        .of('LF-06')
        .evidence.slice(0, 2)
        .map(({ value }) => value)
        .join(', ')}`,
    ]);
  });
});

describe('who cannot ask', () => {
  it('judges by files: an addon that does not load says nothing of libfabric', () => {
    const { verdict, of } = look({ notAsked: 'no compiled addon' });
    expect([verdict, of('LF-04')]).toEqual(['usable', undefined]);
  });

  it('says so', () => {
    const { stdout, status } = spawnSync(process.execPath, [program('fabric-doctor')], {
      encoding: 'utf8',
      env: { ...process.env, NODE_LIBFABRIC_ADDON: '/nonexistent.node' },
    });
    expect(stdout).toMatch(/libfabric itself was not asked: Cannot find module/);
    expect(stdout).toMatch(/libfabric +tcp\S*, predicted/);
    expect(status).toBe(3);
  });
});

describe('--imds', () => {
  it('asks the instance metadata service by its second version', async () => {
    const asked: string[] = [];
    const service = createHttpServer(({ method, url, headers }, response) => {
      asked.push(`${method!} ${url!}`);
      const isAllowed = method === 'PUT' || headers['x-aws-ec2-metadata-token'] === 'TOKEN';
      const answer = { '/latest/api/token': 'TOKEN', '/latest/meta-data/instance-type': 'p5.48xlarge' }[url!];
      response.writeHead(isAllowed ? 200 : 401).end(answer ?? 'i-0fedcba9876543210');
    }).listen(0, '127.0.0.1');
    try {
      await once(service, 'listening');
      const { port } = service.address() as AddressInfo;
      const child = spawn(process.execPath, [program('fabric-doctor'), '--imds', '--json'], {
        env: { ...process.env, AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}/` },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
      await once(child, 'close');
      const { host, firstFailure } = JSON.parse(text) as Report;
      expect(host).toMatchObject({ instanceType: 'p5.48xlarge', instanceId: 'i-0fedcba9876543210' });
      if (!existsSync('/sys/bus/pci/drivers/efa')) expect(firstFailure).toBe('PCI-01');
      expect(asked[0]).toBe('PUT /latest/api/token');
    } finally {
      service.close();
    }
  });

  it('that does not answer is no fault', () => {
    const { of } = look({ ...good, instance: { error: 'it does not answer' } });
    expect(of('HOST-01')).toMatchObject({
      status: 'pass',
      evidence: expect.arrayContaining([
        { source: 'instance metadata service', value: 'it does not answer' },
      ]) as object[],
    });
  });
});

describe('traffic', { timeout: 60_000 }, () => {
  const doctor = async (...args: string[]): Promise<{ code: number | null; traffic: CheckOfReport | undefined }> => {
    const child = spawn(process.execPath, [program('fabric-doctor'), '--json', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    const [code] = (await once(child, 'close')) as [number | null];
    const { checks } = JSON.parse(text) as Report;
    return { code, traffic: checks.find(({ id }) => /^NET-0[23]$/.test(id)) };
  };

  it('goes through this node', async () => {
    const { traffic } = await doctor('--loopback', '--provider', 'tcp');
    expect(traffic).toMatchObject({ id: 'NET-02', status: 'pass', message: 'traffic goes through' });
  });

  it('over efa is not tried where there is none', async () => {
    const { traffic } = await doctor('--loopback');
    if (traffic!.status !== 'pass')
      expect(traffic).toMatchObject({ status: 'skip', message: 'libfabric has no efa here' });
  });
});

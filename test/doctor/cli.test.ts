/** fabric-doctor as users run it: compiled, in a process of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import {
  adviseContainer,
  CHECKS,
  CONTAINER_KINDS,
  Survey,
  TreeHost,
  watch,
  type ContainerKind,
  type Report,
} from 'node-libfabric/doctor';
import { parse } from 'yaml';
import { changed, healthy, inDocker, rdmaDevice, temporaryFolder, write } from './machines.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = join(ROOT, 'dist/cli/fabric-doctor.js');
const SCHEMA = join(ROOT, 'docs/fabric-doctor.schema.json');

function doctor(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

const p4d = healthy('p4d.24xlarge');
const withoutDevices = changed(p4d, { files: inDocker, without: ['/dev/infiniband'] });

describe('fabric-doctor', () => {
  it.each([
    ['usable', p4d, 0],
    ['degraded', changed(p4d, { environment: { NCCL_NET_GDR_LEVEL: '0' } }), 1],
    ['fallback', withoutDevices, 2],
    ['unusable', changed(p4d, { environment: { FI_PROVIDER: '' } }), 2],
  ])('ends with its verdict: %s', (verdict, machine, code) => {
    const found = doctor('--root', write(machine));
    expect(found.stdout).toMatch(new RegExp(`^EFA: ${verdict.toUpperCase()}\n`));
    expect(found.code).toBe(code);
    expect(found.stderr).toBe('');
  });

  it('says the verdict, then the first failing step with its fix, in 80 columns without colour', () => {
    const { stdout } = doctor('--root', write(withoutDevices));
    expect(stdout).toMatch(/EFA: FALLBACK[^]*First failing step: DEV-01[^]*fix {3}docker: --device/);
    expect(stdout).toMatch(
      /Installed \(EFA installer 1\.47\.0\)\n {2}libfabric +2\.4, \/opt\/amazon\/efa\/lib\/libfabric\.so\.1 \[libfabric1-aws\n +2\.4\.0amzn1\.0\]/,
    );
    expect(stdout).not.toContain('\u001b');
    const verbose = doctor('--root', write(withoutDevices), '--verbose').stdout;
    expect([...stdout.split('\n'), ...verbose.split('\n')].filter((line) => line.length > 80)).toEqual([]);
  });

  it('ends with 1 for a warning when it is strict', () => {
    const machine = changed(p4d, { files: { '/sys/module/efa/version': '2.17.3g\n' } });
    expect(doctor('--root', write(machine)).code).toBe(0);
    expect(doctor('--root', write(machine), '--strict').code).toBe(1);
  });

  it('judges by one consumer', () => {
    const root = write(changed(p4d, { environment: { NCCL_NET: 'Socket' } }));
    expect(doctor('--root', root).code).toBe(2);
    expect(doctor('--root', root, '--for', 'libfabric').code).not.toBe(2);
    expect(doctor('--root', root, '--for', 'nccl').code).toBe(2);
  });

  it('prints JSON as the published schema has it', () => {
    const schema = JSON.parse(readFileSync(SCHEMA, 'utf8')) as object;
    expect(JSON.parse(doctor('--schema').stdout)).toEqual(schema);
    const validate = new Ajv().compile(schema);
    for (const machine of [p4d, withoutDevices]) {
      const report: unknown = JSON.parse(doctor('--root', write(machine), '--json').stdout);
      expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
      expect(validate({ ...(report as object), verdict: 'fine' })).toBe(false);
    }
  });

  it('finds the fault in a log', () => {
    const log = join(temporaryFolder(), 'nccl.log');
    writeFileSync(log, 'fine\nGDR disabled on GDR-supported instance type p4d.24xlarge\n');
    const { stdout } = doctor('--root', write(p4d), '--log', log);
    expect(stdout).toMatch(/First failing step: LOG-01/);
    expect(stdout).toMatch(/Log \S*nccl\.log: one known fault\n {2}GDR-REQUIRED, line 2: GPU memory/);
  });

  it('reads a log from a pipe, and says what NCCL took', () => {
    const log = 'NCCL INFO NET/Plugin: Could not find: libnccl-net.so\nNCCL INFO Using network Socket\n';
    const { stdout, status } = spawnSync(
      'bash',
      ['-c', `"$0" "$1" --root "$2" --log <(printf '%s' "$3")`, process.execPath, PROGRAM, write(p4d), log],
      { encoding: 'utf8' },
    );
    expect(stdout).toMatch(/Log \/dev\/fd\/\d+: 2 known faults\n {2}NO-PLUGIN, line 1: [^]*SOCKET, line 2: /);
    expect(stdout).toMatch(/^ {2}NCCL +NET\/Socket, observed: the log says so$/m);
    expect(status).toBe(2);
    const input = spawnSync(process.execPath, [PROGRAM, '--root', write(p4d), '--log', '-'], {
      input: 'fine\n',
      encoding: 'utf8',
    });
    expect([input.stdout, input.status]).toEqual([expect.stringMatching(/^Log -: no known fault\.$/m), 0]);
  });

  it.each([
    [['--bogus'], /unknown option/],
    [['--root', '/nonexistent'], /^fabric-doctor: --root \/nonexistent: no such file or directory\n$/],
    [['--log', '/nonexistent'], /^fabric-doctor: --log \/nonexistent: no such file or directory\n$/],
    [['--root', ROOT, '--html', '/nonexistent/page'], /^fabric-doctor: --html \S+: no such file or directory\n$/],
    [['--bundle', '/nonexistent/out.tar.gz'], /^fabric-doctor: --bundle \S+: no such file or directory\n$/],
    [['merge', '/nonexistent'], /^fabric-doctor: \/nonexistent: no such file or directory\n$/],
    [['--explain', 'DEV-99'], /no check DEV-99/],
    [['--expect', 'many'], /instance type such as/],
    [['--peer', 'host:0'], /HOST or HOST:PORT/],
    [['--root', '/', '--imds'], /needs this machine/],
    [['--watch'], /needs a command/],
    [['merge'], /needs reports/],
    [['--root', '/', '--bundle', 'x'], /needs this machine/],
  ])('%j is wrong usage: 64', (args, message) => {
    const { code, stderr } = doctor(...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(64);
  });

  it('lists and explains every check', () => {
    const { stdout } = doctor('--list-checks');
    for (const { id, title } of CHECKS) expect(stdout).toContain(`${id.padEnd(10)}${title}`);
    expect(doctor('--explain', 'dev-02').stdout).toMatch(/^DEV-02 .*\n[^]*In a container:\n/);
  });
});

describe('this machine', () => {
  it('is examined, and its bundle has the same verdict', { timeout: 60_000 }, () => {
    const bundle = join(temporaryFolder(), 'out.tar.gz');
    const live = doctor('--json', '--bundle', bundle);
    const here = JSON.parse(live.stdout) as Report;
    const copy = JSON.parse(doctor('--root', bundle, '--json').stdout) as Report;
    const judged = ({ verdict, summary, firstFailure, prediction, checks }: Report): object => ({
      ...{ verdict, summary, firstFailure, prediction },
      checks: checks.map(({ id, status, message }) => [id, status, message]),
    });
    expect(judged(copy)).toEqual(judged(here));
  });

  const hasEfa = existsSync('/sys/bus/pci/drivers/efa');
  it.skipIf(hasEfa)(`is none for EFA, and libfabric takes what fi_info says${hasEfa ? ' (it has EFA)' : ''}`, () => {
    const { stdout, code } = doctor('--json');
    const report = JSON.parse(stdout) as Report;
    expect([report.verdict, code]).toEqual(['not-applicable', 3]);
    expect(report.summary).toMatch(/not an EC2 instance/);
    const first = /^provider: (\S+)$/m.exec(execFileSync('fi_info', ['-t', 'FI_EP_RDM'], { encoding: 'utf8' }))![1];
    expect(report.prediction.libfabric).toMatchObject({ transport: first, confidence: 'observed' });
  });
});

describe('--watch', () => {
  const counter = '/sys/class/infiniband/rdmap16s27/ports/1/hw_counters/tx_bytes';

  it('says whether a command moved bytes over the devices', async () => {
    const root = write(p4d);
    const idle = await watch(new TreeHost(root), ['true']);
    expect(idle).toMatchObject({ exitCode: 0, usedEfa: false });
    const busy = await watch(new TreeHost(root), ['sh', '-c', 'echo 5000 > "$0"; exit 7', join(root, counter)]);
    expect(busy).toMatchObject({
      exitCode: 7,
      usedEfa: true,
      sentence: 'It used EFA: 4000 bytes over 1 of 4 devices.',
    });
  });

  it('does not guess without counters', async () => {
    const without = Object.keys(p4d.files).filter((path) => path.includes('hw_counters'));
    const { usedEfa } = await watch(new TreeHost(write(changed(p4d, { without }))), ['true']);
    expect(usedEfa).toBeUndefined();
  });
});

describe('merge', () => {
  it('tells nodes apart', () => {
    const folder = temporaryFolder();
    const files = [p4d, p4d, withoutDevices].map((machine, index) => {
      const report = JSON.parse(doctor('--root', write(machine), '--json').stdout) as Report;
      const file = join(folder, `${index}.json`);
      writeFileSync(file, JSON.stringify({ ...report, node: `node-${index}` }));
      return file;
    });
    const page = join(folder, 'fleet.html');
    const { stdout, code } = doctor('merge', ...files, '--html', page);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^node +verdict +first failure/);
    expect(stdout).toMatch(/verdict: most have usable; not\n {2}node-2: fallback/);
    expect(readFileSync(page, 'utf8')).toContain('<td class="other">fallback</td>');
    expect(doctor('merge', files[0]!, files[1]!).stdout).toContain('All are alike.');
  });

  it('prints no line that is wider than 80 columns, and nothing less for it', () => {
    const folder = temporaryFolder();
    const report = JSON.parse(doctor('--root', write(p4d), '--json').stdout) as Report;
    const nodes = ['ip-10-0-0-1.a-region-with-a-long-name.compute.internal', 'n2', 'n3'];
    const files = nodes.map((node, index) => {
      const kernel = `6.1.${index}-of-a-distribution-with-long-names.x86_64`;
      const { software, host } = report;
      const differing: Report = {
        ...report,
        node,
        host: { ...host, kernel, instanceType: `p5.${index}xlarge` },
        software: {
          ...software,
          driver: `2.10.${index}g`,
          rdmaCore: `5${index}.0-1.amzn2023`,
          installer: `1.3${index}.0`,
        },
      };
      const file = join(folder, `${index}.json`);
      writeFileSync(file, JSON.stringify(differing));
      return file;
    });
    const { stdout } = doctor('merge', ...files);
    const lines = stdout.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    for (const title of ['verdict', 'type', 'driver', 'rdma-core', 'installer', 'kernel']) {
      expect(lines.filter((line) => line.startsWith('node ') && line.includes(title))).toHaveLength(1);
    }
    // a cell that is too long goes on below itself
    expect(stdout).toMatch(/^ip-10-0-0-1\.a-region-with-a-long-name\.c .*\nompute\.internal$/m);
    expect(stdout).toContain('  n3: 6.1.2-of-a-distribution-with-long-names.x86_64');
  });

  it('refuses what is no report', () => {
    const file = join(temporaryFolder(), 'x.json');
    writeFileSync(file, '{"format": "fabric-doctor/1"}');
    expect(doctor('merge', file)).toMatchObject({ code: 64, stderr: expect.stringMatching(/not a report/) as string });
  });
});

describe('--container', () => {
  const advise = (kind: ContainerKind, machine = p4d): string =>
    adviseContainer(kind, new Survey(new TreeHost(write(machine))));
  /** What is left without the reasons. */
  const recipe = (text: string): string => text.replaceAll(/^#.*\n/gm, '');

  it.each(CONTAINER_KINDS)('%s has reasons, and says what mounts would take', (kind) => {
    const text = advise(kind);
    expect(text).toMatch(/^# 4 EFA devices here[^]*Do not mount software of the host/);
    expect(text).toMatch(
      /want glibc 2\.34 or newer in the image[^]*# {3}\/opt\/amazon\/efa\n# {3}\/opt\/amazon\/ofi-nccl\n/,
    );
    expect(text).toMatch(
      /\/libefa\.so\.1\.4\.61\.0:\S*\/libefa\.so\.1\n[^]*\/libibverbs\n# {3}\/etc\/libibverbs\.d\n$/,
    );
  });

  it('is what the program prints', () => {
    const root = write(p4d);
    const { stdout, code } = doctor('--root', root, '--container', 'docker');
    expect([stdout, code]).toEqual([adviseContainer('docker', new Survey(new TreeHost(root))), 0]);
  });

  it('passes each device to docker and pyxis, and the shell understands it', () => {
    const text = advise('docker');
    expect(text.match(/--device=\/dev\/infiniband\/uverbs\d /g)).toHaveLength(4);
    for (const part of ['--gpus all', '--ulimit memlock=-1', '--network host', '-v /sys/devices:/sys/devices:ro'])
      expect(recipe(text)).toContain(part);
    expect(recipe(advise('pyxis'))).toMatch(/^srun --container-image=IMAGE --container-mounts=\/dev\/infiniband/);
    for (const kind of ['docker', 'pyxis'] as const) execFileSync('bash', ['-n'], { input: advise(kind) });
  });

  it('passes devices of others too, where libfabric would stumble over them', () => {
    const foreign = rdmaDevice('0000:73:00.0', '0x1021', 8, 'ibp115s0f0', '0x15b3');
    const text = advise('docker', changed(p4d, { files: foreign }));
    expect(text).toMatch(/uverbs8: of another make[^]*--device=\/dev\/infiniband\/uverbs8 /);
  });

  it('asks Kubernetes for as many as there are, and for huge pages only where they are', () => {
    const limitsOf = (machine = p4d): Record<string, unknown> => {
      const pod = parse(advise('kubernetes', machine)) as {
        spec: { containers: { resources: { limits: Record<string, unknown>; requests: unknown } }[] };
      };
      const [{ resources }] = pod.spec.containers as [(typeof pod.spec.containers)[0]];
      expect(resources.requests).toEqual(resources.limits);
      return resources.limits;
    };
    expect(limitsOf()).toMatchObject({ 'vpc.amazonaws.com/efa': 4, 'nvidia.com/gpu': 8, 'hugepages-2Mi': '5120Mi' });
    const files = { '/proc/meminfo': 'HugePages_Total: 0\nHugepagesize: 2048 kB\n' };
    expect(limitsOf(changed(p4d, { files }))).not.toHaveProperty('hugepages-2Mi');
  });

  it('gives ECS a definition in JSON', () => {
    expect(JSON.parse(recipe(advise('ecs')))).toMatchObject({
      linuxParameters: { devices: Array(4).fill({ permissions: ['READ', 'WRITE', 'MKNOD'] }) as object[] },
      ulimits: [{ name: 'memlock', softLimit: -1, hardLimit: -1 }],
    });
  });
});

describe('--check-container', () => {
  it('shows what a container was given, and what was mounted into it', () => {
    const mounts = `${p4d.files['/proc/self/mounts'] as string}/dev/nvme1n1 /opt/amazon/efa xfs ro 0 0\n`;
    const machine = changed(withoutDevices, { files: { '/proc/self/mounts': mounts } });
    const { stdout, code } = doctor('--root', write(machine), '--check-container');
    expect(stdout).toMatch(/^fail DEV-01 /m);
    expect(stdout).toMatch(/^warn HOST-04 .*probably from the\n +host: \/opt\/amazon\/efa$/m);
    expect(stdout).toMatch(/^pass LIM-01 [^]*^pass NCCL-02 /m);
    expect(code).toBe(2);
  });

  it('has no meaning outside of one', () => {
    const { stderr, code } = doctor('--root', write(p4d), '--check-container');
    expect([stderr, code]).toEqual([expect.stringMatching(/^This is no container/), 2]);
  });
});

describe('--html', () => {
  const hasBrowser = spawnSync('chromium', ['--version']).error === undefined;

  it.skipIf(!hasBrowser)(
    `shows evidence by click and by keyboard${hasBrowser ? '' : ' (no chromium)'}`,
    { timeout: 60_000 },
    () => {
      const page = join(temporaryFolder(), 'page.html');
      doctor('--root', write(withoutDevices), '--html', page);
      const html = readFileSync(page, 'utf8');
      expect(html).not.toMatch(/(src|href)="(?!https:\/\/)/);
      const probe = `<script>
      const layer = (name) => document.querySelector('[data-layer="' + name + '"]');
      const before = [layer('device').open, layer('libfabric').open];
      layer('libfabric').querySelector('summary').click();
      layer('libfabric').querySelector('summary').focus();
      document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }));
      const focused = document.activeElement.parentElement.dataset.layer;
      document.title = JSON.stringify({ before, after: layer('libfabric').open, focused, tone: layer('device').className });
    </script>`;
      writeFileSync(page, html.replace('</body>', `${probe}</body>`));
      const { stdout } = spawnSync(
        'chromium',
        ['--headless', '--no-sandbox', '--disable-gpu', '--dump-dom', pathToFileURL(page).href],
        { encoding: 'utf8', timeout: 45_000 },
      );
      const title = /<title>(.*?)<\/title>/.exec(stdout)![1]!.replaceAll('&quot;', '"');
      expect(JSON.parse(title)).toEqual({ before: [true, false], after: true, focused: 'verbs', tone: 'layer fail' });
    },
  );
});

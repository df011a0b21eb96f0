/** What is wrong with a machine, found from its files: one machine a fault. */
import { writeFileSync } from 'node:fs';
import Ajv from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  examine,
  formatReport,
  makeReport,
  renderPage,
  reportJsonSchema,
  TreeHost,
  type Examination,
  type Verdict,
} from 'node-libfabric/doctor';
import {
  changed,
  DISTRIBUTION,
  EFA_LIB,
  healthy,
  inDocker,
  inKubernetes,
  libfabric,
  library,
  plugin,
  rdmaCore,
  rdmaDevice,
  TYPES,
  write,
  type Machine,
  type Type,
} from './machines.js';

const look = (machine: Machine): Examination => examine(new TreeHost(write(machine)));

const p5 = healthy('p5.48xlarge');
/** What does not depend on the type: of few devices. */
const p4d = healthy('p4d.24xlarge');
const nodes = (type: Type): string[] => TYPES[type].at.map((_, index) => `/dev/infiniband/uverbs${index}`);
const setEach = (machine: Machine, name: string, value: string): Machine['files'] =>
  Object.fromEntries(
    Object.keys(machine.files)
      .filter((path) => path.endsWith(`/${name}`))
      .map((path) => [path, value]),
  );
const foreign = (number: number): Machine['files'] =>
  rdmaDevice(`0000:7${3 + number}:00.0`, '0x1021', 8 + number, `ibp11${5 + number}s0f0`, '0x15b3');
const b200WithForeign = changed(healthy('p6-b200.48xlarge'), {
  files: { ...foreign(0), ...foreign(1), ...inDocker },
  open: { '/dev/infiniband/uverbs8': 'EPERM', '/dev/infiniband/uverbs9': 'EPERM' },
});
const CONFIGURATION = '/opt/amazon/efa/etc/libfabric.conf';
/** A libfabric that reads a configuration, and what that says. */
const configured = (text: string): Machine =>
  changed(p4d, {
    files: {
      ...libfabric(EFA_LIB, 30, { texts: ['FI_EFA_IFACE', CONFIGURATION] }),
      [CONFIGURATION]: text,
    },
  });
const LIMITS_64K = (p4d.files['/proc/self/limits'] as string).replace(
  'unlimited            unlimited ',
  '65536                65536 ',
);

interface Scenario {
  readonly name: string;
  readonly machine: Machine;
  readonly verdict: Verdict;
  /** The first failing step, and a part of its message and of its fix. */
  readonly first?: string;
  readonly message?: RegExp;
  readonly fix?: RegExp;
  readonly nccl?: string;
  readonly libfabric?: string;
}

const scenarios: Scenario[] = [
  ...(Object.keys(TYPES) as Type[]).map((type): Scenario => ({
    name: `healthy ${type}`,
    machine: healthy(type),
    verdict: 'usable',
    nccl: 'NET/OFI (efa)',
    libfabric: 'efa',
  })),
  {
    name: 'docker without devices',
    machine: changed(p5, { files: inDocker, without: nodes('p5.48xlarge') }),
    verdict: 'fallback',
    first: 'DEV-01',
    message: /container was not given/,
    fix: /docker: --device/,
    nccl: 'NET/Socket',
    libfabric: 'tcp',
  },
  {
    name: 'docker whose device cgroup refuses',
    machine: changed(p4d, {
      files: inDocker,
      open: Object.fromEntries(nodes('p4d.24xlarge').map((node) => [node, 'EPERM'])),
    }),
    verdict: 'fallback',
    first: 'DEV-02',
    message: /uverbs0\) = EPERM \(and 3 more\): refused by the device cgroup/,
    fix: /docker: --device/,
  },
  {
    name: 'a foreign device that cannot be opened, libfabric 2.4',
    machine: b200WithForeign,
    verdict: 'fallback',
    first: 'DEV-03',
    message: /ibp115s0f0, ibp116s0f0 cannot be opened/,
    fix: /Pass the nodes of the other devices/,
    nccl: 'NET/Socket',
  },
  {
    name: 'a foreign device that cannot be opened, libfabric 2.7',
    machine: changed(b200WithForeign, { without: [`${EFA_LIB}/libfabric.so.1`], files: libfabric(EFA_LIB, 33) }),
    verdict: 'usable',
  },
  {
    name: 'locked memory of 64 KiB',
    machine: changed(p4d, { files: { '/proc/self/limits': LIMITS_64K } }),
    verdict: 'unusable',
    first: 'LIM-01',
    message: /only 64 KiB/,
    fix: /ulimit -l unlimited/,
    libfabric: 'none',
  },
  {
    name: 'module not loaded',
    machine: changed(p4d, {
      files: { '/proc/modules': 'ib_uverbs 1 0 - Live 0x0\nib_core 1 0 - Live 0x0\n' },
      without: [
        ...['/sys/module/efa', '/sys/class/infiniband', '/sys/class/infiniband_verbs/uverbs0', '/dev/infiniband'],
        ...Object.keys(p4d.files).filter((path) => path.endsWith('/driver')),
      ],
    }),
    verdict: 'fallback',
    first: 'MOD-02',
    message: /efa module is not loaded/,
    fix: /modprobe efa/,
    nccl: 'NET/Socket',
    libfabric: 'tcp',
  },
  {
    name: 'module built for another kernel',
    machine: changed(p4d, {
      files: {
        '/proc/modules': 'ib_uverbs 1 0 - Live 0x0\nib_core 1 0 - Live 0x0\n',
        '/usr/src/efa-3.0.0/Makefile': '',
      },
      without: [
        '/sys/module/efa',
        '/sys/class/infiniband',
        ...Object.keys(p4d.files).filter((path) => path.endsWith('/driver')),
      ],
    }),
    verdict: 'fallback',
    first: 'MOD-02',
    message: /built for another kernel/,
    fix: /dkms autoinstall/,
  },
  {
    name: 'no ib_uverbs',
    machine: changed(p4d, {
      files: { '/proc/modules': 'ib_core 1 0 - Live 0x0\n' },
      without: ['/sys/class/infiniband_verbs', '/sys/class/infiniband', '/dev/infiniband', '/sys/module/efa'],
    }),
    verdict: 'fallback',
    first: 'MOD-01',
    message: /ib_uverbs not loaded/,
    fix: /linux-modules-extra/,
  },
  {
    name: 'no interface made as EFA',
    machine: changed(p4d, {
      without: Object.keys(p4d.files).filter((path) =>
        /pci0000:(?!40)|bus\/pci\/devices\/0000:(?!4[0-7])|infiniband/.test(path),
      ),
    }),
    verdict: 'fallback',
    first: 'PCI-01',
    message: /no network interface was created as one/,
    fix: /network interface of type efa/,
  },
  {
    name: 'driver older than the devices',
    machine: changed(healthy('p6-b200.48xlarge'), {
      files: { '/sys/module/efa/version': '2.8.0g\n', '/opt/amazon/efa_installed_packages': undefined },
      without: ['/opt/amazon/efa_installed_packages'],
    }),
    verdict: 'fallback',
    first: 'PCI-03',
    message: /2\.8\.0g is older than 2\.12\.0/,
    fix: /reboot/,
  },
  {
    name: 'EFA_1.4 wanted of an old libefa',
    machine: changed(p4d, {
      files: {
        ...libfabric(EFA_LIB, 30, { requires: { 'libefa.so.1': ['EFA_1.4'] } }),
        ...rdmaCore(DISTRIBUTION, 61, { efa: 3 }),
        ...inDocker,
      },
    }),
    verdict: 'unusable',
    first: 'VERBS-03',
    message: /version `EFA_1\.4' not found \(required by .*libfabric\.so\.1\)/,
    fix: /last stage of the image/,
    nccl: 'NET/Socket',
  },
  {
    name: 'libibverbs of HPC-X before the own',
    machine: changed(p4d, {
      files: {
        '/opt/hpcx/lib/libibverbs.so.1': rdmaCore('/x', 39, { abi: 34 })['/x/libibverbs.so.1.14.39.0'],
        ...inDocker,
      },
      environment: { LD_LIBRARY_PATH: '/opt/hpcx/lib' },
    }),
    verdict: 'unusable',
    first: 'VERBS-02',
    message: /version `IBVERBS_PRIVATE_59' not found/,
    fix: /HPC-X/,
    nccl: 'NET/Socket',
  },
  {
    name: 'a plugin that wants a newer glibc',
    machine: changed(p4d, {
      files: {
        ...plugin('/opt/amazon/ofi-nccl/lib', { requires: { 'libc.so.6': ['GLIBC_2.38'] } }),
        ...inDocker,
      },
    }),
    verdict: 'fallback',
    first: 'NCCL-02',
    message: /libc\.so\.6: version `GLIBC_2\.38' not found \(required by .*libnccl-net/,
    fix: /Do not mount the plugin of the host/,
    nccl: 'NET/Socket',
    libfabric: 'efa',
  },
  {
    name: "the distribution's libfabric first",
    machine: changed(p4d, {
      files: { ...libfabric(DISTRIBUTION, 14), '/etc/ld.so.conf.d/000_efa.conf': `${DISTRIBUTION}\n${EFA_LIB}\n` },
    }),
    verdict: 'fallback',
    first: 'LF-01',
    message: /1\.11.*hides Amazon's/,
    fix: /apt-get remove libfabric1/,
    nccl: 'NET/Socket',
  },
  {
    name: "Amazon's libfabric not on the path",
    machine: changed(p4d, { without: ['/etc/ld.so.conf.d/000_efa.conf'] }),
    verdict: 'unusable',
    first: 'LF-01',
    message: /not on the loader's path/,
    fix: /000_efa\.conf/,
  },
  {
    name: 'libfabric without efa',
    machine: changed(p4d, { files: libfabric(EFA_LIB, 30, { needed: ['libc.so.6'], requires: {}, texts: [] }) }),
    verdict: 'fallback',
    first: 'LF-03',
    message: /built without the efa provider/,
    fix: /EFA installer/,
  },
  ...(
    [
      ['', 'unusable', /set but empty/],
      ['efa ', 'unusable', /has a blank/],
      ['tcp', 'fallback', /FI_PROVIDER=tcp excludes efa/],
      ['^efa', 'fallback', /excludes efa/],
    ] as const
  ).map(([value, verdict, message]): Scenario => ({
    name: `FI_PROVIDER="${value}"`,
    machine: changed(p4d, { environment: { FI_PROVIDER: value } }),
    verdict,
    first: 'ENV-01',
    message,
    fix: /unset FI_PROVIDER/,
  })),
  {
    name: 'FI_PROVIDER=tcp in libfabric.conf',
    machine: configured('FI_PROVIDER=tcp\n'),
    verdict: 'fallback',
    first: 'ENV-01',
    message: /excludes efa \(FI_PROVIDER is set in \/opt\/amazon\/efa\/etc\/libfabric\.conf\)/,
    fix: /^Take FI_PROVIDER out of \/opt\/amazon\/efa\/etc\/libfabric\.conf\.$/,
    libfabric: 'tcp',
  },
  {
    name: 'FI_PROVIDER=tcp in libfabric.conf, and efa in the environment',
    machine: changed(configured('FI_PROVIDER=tcp\n'), { environment: { FI_PROVIDER: 'efa' } }),
    verdict: 'usable',
  },
  {
    // libfabric looks for it in the environment only
    name: 'FI_EFA_MTU_SIZE in libfabric.conf',
    machine: configured('FI_EFA_MTU_SIZE=8192\n'),
    verdict: 'usable',
  },
  { name: 'FI_PROVIDER=EFA', machine: changed(p4d, { environment: { FI_PROVIDER: 'EFA' } }), verdict: 'usable' },
  {
    name: 'FI_EFA_MTU_SIZE',
    machine: changed(p4d, { environment: { FI_EFA_MTU_SIZE: '8192' } }),
    verdict: 'unusable',
    first: 'ENV-02',
    message: /FI_EFA_MTU_SIZE=8192: efa ends the process/,
    fix: /unset FI_EFA_MTU_SIZE/,
  },
  {
    name: 'FI_EFA_IFACE of a device that is not here',
    machine: changed(p5, { environment: { FI_EFA_IFACE: 'efa_0' } }),
    verdict: 'fallback',
    first: 'ENV-03',
    message: /names efa_0; here are rdmap79s0/,
    fix: /unset FI_EFA_IFACE/,
  },
  {
    name: 'FI_EFA_USE_DEVICE_RDMA=0 on p5',
    machine: changed(p5, { environment: { FI_EFA_USE_DEVICE_RDMA: '0' } }),
    verdict: 'fallback',
    first: 'ENV-04',
    message: /RDMA protocol refuses/,
    fix: /unset FI_EFA_USE_DEVICE_RDMA/,
    nccl: 'NET/Socket',
    libfabric: 'efa',
  },
  {
    name: 'FI_EFA_USE_DEVICE_RDMA=1 on g5',
    machine: changed(healthy('g5.48xlarge'), { environment: { FI_EFA_USE_DEVICE_RDMA: '1' } }),
    verdict: 'unusable',
    first: 'ENV-04',
    message: /no RDMA read/,
    fix: /unset/,
  },
  {
    name: 'GPU memory out of reach on p4d',
    machine: changed(healthy('p4d.24xlarge'), { files: setEach(healthy('p4d.24xlarge'), 'p2p', '\n') }),
    verdict: 'fallback',
    first: 'GPU-01',
    message: /demands on p4d\.24xlarge/,
    fix: /efa_nv_peermem/,
    nccl: 'NET/Socket',
    libfabric: 'efa',
  },
  {
    name: 'fewer devices than the type has',
    machine: changed(p5, {
      without: Object.keys(p5.files).filter((path) => /0000:c9|rdmap201s0|uverbs31/.test(path)),
    }),
    verdict: 'degraded',
    first: 'PCI-02',
    message: /31 of 32 devices/,
    fix: /every network card/,
    nccl: 'NET/OFI (efa)',
  },
  {
    name: 'NCCL_NET=Socket',
    machine: changed(p4d, { environment: { NCCL_NET: 'Socket' } }),
    verdict: 'fallback',
    first: 'ENV-08',
    message: /NCCL_NET=Socket excludes EFA/,
    fix: /unset NCCL_NET/,
  },
  {
    name: 'a missing plugin that NCCL_NET makes an error',
    machine: changed(p4d, { environment: { NCCL_NET: 'Libfabric' }, without: ['/opt/amazon/ofi-nccl'] }),
    verdict: 'unusable',
    first: 'NCCL-01',
    message: /there is no aws-ofi-nccl plugin/,
    fix: /1\.37 or newer/,
    nccl: 'none',
  },
  {
    name: 'Open MPI told to take TCP',
    machine: changed(p4d, { environment: { OMPI_MCA_pml: 'ob1' } }),
    verdict: 'fallback',
    first: 'ENV-12',
    message: /OMPI_MCA_pml=ob1 excludes EFA/,
    fix: /OMPI_MCA_/,
  },
  {
    name: 'NCCL_NET_GDR_LEVEL=0',
    machine: changed(p4d, { environment: { NCCL_NET_GDR_LEVEL: '0' } }),
    verdict: 'degraded',
    first: 'ENV-09',
    message: /turns GPUDirect RDMA off/,
    fix: /unset NCCL_NET_GDR_LEVEL/,
  },
  {
    name: 'a minimal host of Kubernetes',
    machine: changed(p4d, {
      files: {
        '/opt/amazon/efa_installed_packages':
          '# EFA installer version: 1.49.0\n# Debug packages installed: no\n# Packages installed:\nefa-config-1.18-1.amzn2023.noarch libibverbs-63.0-1.amzn2023.x86_64 rdma-core-63.0-1.amzn2023.x86_64 efa-3.0.0-1.amzn2023.x86_64\n',
      },
      without: ['/opt/amazon/efa', '/opt/amazon/ofi-nccl', '/opt/amazon/openmpi'],
    }),
    verdict: 'usable',
  },
  {
    name: 'a container without counters',
    machine: changed(p4d, {
      environment: inKubernetes,
      without: Object.keys(p4d.files).filter((path) => path.includes('/hw_counters/')),
    }),
    verdict: 'usable',
  },
  {
    name: 'a driver that waits for a reboot',
    machine: changed(p4d, { files: { '/sys/module/efa/version': '2.17.3g\n' } }),
    verdict: 'usable',
  },
  {
    name: 'the driver of the kernel',
    machine: changed(p4d, { without: ['/sys/module/efa/version'] }),
    verdict: 'usable',
  },
  {
    name: 'a type that is not known',
    machine: changed(p4d, { files: { '/sys/devices/virtual/dmi/id/product_name': 'p9.48xlarge\n' } }),
    verdict: 'usable',
  },
  {
    name: 'CAP_IPC_LOCK in a container lifts its limit',
    machine: changed(p4d, {
      files: { '/proc/self/limits': LIMITS_64K, '/proc/self/status': 'CapEff:\t00000000a80465fb\n', ...inDocker },
    }),
    verdict: 'usable',
  },
  {
    name: 'a root shell is free of the limit of its users',
    machine: changed(p4d, {
      files: { '/proc/self/limits': LIMITS_64K, '/proc/self/status': 'CapEff:\t000001ffffffffff\n' },
    }),
    verdict: 'usable',
  },
  {
    name: 'no CAP_IPC_LOCK, as docker has it',
    machine: changed(p4d, {
      files: { '/proc/self/limits': LIMITS_64K, '/proc/self/status': 'CapEff:\t00000000a80425fb\n', ...inDocker },
    }),
    verdict: 'unusable',
    first: 'LIM-01',
    fix: /docker: --ulimit memlock=-1/,
  },
  {
    name: 'Open MPI built without libfabric',
    machine: changed(p4d, {
      files: library('/opt/amazon/openmpi/lib64/libmpi.so.40', { soname: 'libmpi.so.40', texts: ['mca_btl_tcp'] }),
    }),
    verdict: 'fallback',
    first: 'MPI-01',
    message: /built without libfabric/,
    fix: /mtl ofi/,
  },
  {
    name: 'a pod with some of the devices',
    machine: changed(p4d, {
      files: {
        '/.fabric-doctor/live.json': JSON.stringify({
          efa: { domains: ['rdmap16s27-rdm', 'rdmap32s27-rdm'], fabrics: ['efa'] },
          first: 'efa',
        }),
      },
      environment: inKubernetes,
      without: ['/dev/infiniband/uverbs2', '/dev/infiniband/uverbs3'],
    }),
    verdict: 'usable',
    libfabric: 'efa',
  },
  {
    name: 'files that miss what libfabric proved',
    machine: changed(p4d, {
      files: {
        '/.fabric-doctor/live.json': JSON.stringify({
          efa: { domains: ['a-rdm', 'b-rdm', 'c-rdm', 'd-rdm'], fabrics: ['efa'] },
          first: 'efa',
        }),
      },
      without: ['/etc/libibverbs.d'],
    }),
    verdict: 'usable',
  },
  {
    name: 'FI_EFA_USE_DEVICE_RDMA=0 where there is no RDMA write',
    machine: changed(p4d, { environment: { FI_EFA_USE_DEVICE_RDMA: 'no' } }),
    verdict: 'degraded',
    first: 'ENV-04',
    message: /turns RDMA read off/,
  },
  {
    name: 'upper case and a blank beside efa',
    machine: changed(p4d, { environment: { FI_PROVIDER: 'EFA, shm' } }),
    verdict: 'usable',
  },
  {
    name: 'an old list of PCI names, which nothing depends on',
    machine: changed(healthy('p6-b200.48xlarge'), { files: { '/usr/share/misc/pci.ids': '# no efa3\n' } }),
    verdict: 'usable',
  },
  {
    name: 'a machine that is not EC2',
    machine: changed(p4d, {
      files: { '/sys/devices/virtual/dmi/id/sys_vendor': 'Dell Inc.\n' },
      without: Object.keys(p4d.files).filter((path) => /pci0000:(?!40)|bus\/pci\/devices|infiniband/.test(path)),
    }),
    verdict: 'not-applicable',
  },
];

const validate = new Ajv().compile(reportJsonSchema());

/** What holds of every machine. */
function assertConsistent(examination: Examination): void {
  const { verdict, firstFailure, results } = examination;
  expect(firstFailure === undefined).toBe(verdict === 'usable' || verdict === 'not-applicable');
  // what the first failing step builds on is fine
  const below = results.filter(({ check: { id } }) => firstFailure?.check.dependsOn.includes(id));
  expect(below.filter(({ status }) => status === 'fail' || status === 'skip')).toEqual([]);
  const report = makeReport(examination, { version: '0.1.0', time: new Date(0), node: 'node-1' });
  expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
  for (const extent of ['faults', 'all', 'container'] as const) {
    const text = formatReport(report, extent);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text.match(/^First failing step: /gm)?.length).toBe(firstFailure === undefined ? undefined : 1);
  }
  expect(renderPage(report)).not.toMatch(/undefined<|NaN/);
}

describe('a machine', () => {
  it.each(scenarios)(
    '$name: $verdict $first',
    ({ machine, verdict, first, message, fix, nccl, libfabric: provider }) => {
      const examination = look(machine);
      const { firstFailure, prediction, ...found } = examination;
      expect({ verdict: found.verdict, first: firstFailure?.check.id }).toEqual({ verdict, first });
      if (message !== undefined) expect(firstFailure!.message).toMatch(message);
      if (fix !== undefined) {
        const lines = firstFailure!.fix ?? firstFailure!.check.fix;
        const isContainer = found.survey.identity.container !== undefined;
        expect((isContainer ? (lines.container ?? lines.host) : lines.host).join('\n')).toMatch(fix);
      }
      if (nccl !== undefined) expect(prediction.nccl.transport).toBe(nccl);
      if (provider !== undefined) expect(prediction.libfabric.transport).toBe(provider);
      assertConsistent(examination);
    },
  );

  it('has one first failing step whatever its environment is', () => {
    const value = fc.constantFrom(
      '',
      '0',
      '1',
      'efa',
      'tcp',
      '^efa',
      'efa ',
      'Socket',
      'IB',
      'none',
      'all',
      'rdmap16s27',
      'ob1',
      'cm',
    );
    const name = fc.constantFrom(
      ...[
        'FI_PROVIDER',
        'FI_EFA_IFACE',
        'FI_EFA_MTU_SIZE',
        'FI_EFA_USE_DEVICE_RDMA',
        'FI_EFA_FORK_SAFE',
        'FI_EFA_USE_HUGE_PAGE',
      ],
      ...[
        'FI_HMEM_DISABLE_P2P',
        'NCCL_NET',
        'NCCL_NET_PLUGIN',
        'NCCL_NET_GDR_LEVEL',
        'OFI_NCCL_DISABLE_GDR_REQUIRED_CHECK',
      ],
      ...[
        'LD_LIBRARY_PATH',
        'LD_PRELOAD',
        'OMPI_MCA_pml',
        'OMPI_MCA_mtl',
        'KUBERNETES_SERVICE_HOST',
        'RDMAV_HUGEPAGES_SAFE',
      ],
    );
    const root = write(p4d);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 4 }), (variables) => {
        writeFileSync(`${root}/.fabric-doctor/env`, variables.map(([set, to]) => `${set}=${to}\n`).join(''));
        assertConsistent(examine(new TreeHost(root)));
      }),
      { numRuns: 60 },
    );
  });

  it('says what waits for a reboot, and whose driver it is', () => {
    const resultOf = (machine: Machine): string =>
      look(machine).results.find(({ check }) => check.id === 'MOD-03')!.message;
    expect(resultOf(changed(p4d, { files: { '/sys/module/efa/version': '2.17.3g\n' } }))).toMatch(
      /2\.17\.3g runs, 3\.0\.0-1\.amzn1 is installed/,
    );
    expect(resultOf(changed(p4d, { without: ['/sys/module/efa/version'] }))).toMatch(/^in-tree driver/);
  });

  it('names what blocks what could not be checked', () => {
    const { results } = look(changed(p4d, { files: inDocker, without: nodes('p4d.24xlarge') }));
    const skipped = results.filter(({ status }) => status === 'skip');
    expect(skipped.map(({ check, blockedBy }) => [check.id, blockedBy])).toEqual([
      ['DEV-02', 'DEV-01'],
      ['DEV-03', 'DEV-01'],
    ]);
  });
});

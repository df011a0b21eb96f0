import { fileEvidence, info, pass, type Check } from '../check.js';
import { LIMITS } from '../survey/limits.js';
import { MOUNTS } from '../survey/mounts.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const size = (bytes: number): string =>
  bytes === Infinity
    ? 'unlimited'
    : bytes >= GIB
      ? `${(bytes / GIB).toFixed(1)} GiB`
      : `${Math.round(bytes / 1024)} KiB`;

export const limitChecks: readonly Check[] = [
  {
    id: 'LIM-01',
    title: 'Memory may be locked',
    layer: 'limits',
    dependsOn: ['PCI-01'],
    why: 'Receive buffers are pinned. With the usual 64 KiB or 8 MiB opening an endpoint fails with -12, "Cannot allocate memory".',
    fix: {
      host: [
        'In this shell: ulimit -l unlimited',
        'For good: "* soft memlock unlimited" and "* hard memlock unlimited" in /etc/security/limits.d/01_efa.conf.',
        'Services (slurmd too) do not read that file: they need LimitMEMLOCK=infinity in their unit.',
      ],
      container: [
        'docker: --ulimit memlock=-1',
        'Kubernetes: add the capability IPC_LOCK, or raise the limit of the container runtime.',
        'ECS and Batch: ulimits, memlock -1.',
        'Slurm: LimitMEMLOCK=infinity for slurmd, and PropagateResourceLimitsExcept=MEMLOCK.',
      ],
    },
    references: [
      'https://github.com/awslabs/awsome-distributed-ai/issues/647',
      'https://github.com/aws/aws-cdi-sdk/issues/48',
    ],
    probe: ({ limits }) => [
      {
        source: LIMITS,
        value: limits.lockedMemory === undefined ? '(unknown)' : `Max locked memory ${limits.lockedMemory}`,
      },
      { source: '/proc/self/status', value: limits.mayLockAll ? 'has CAP_IPC_LOCK' : 'no CAP_IPC_LOCK' },
    ],
    judge: ({ limits: { lockedMemory, mayLockAll }, identity: { container } }) => {
      if (lockedMemory === undefined || Number.isNaN(lockedMemory)) return info('the limit is not known');
      if (lockedMemory >= 16 * GIB) return pass(size(lockedMemory));
      if (mayLockAll && container !== undefined) return pass(`${size(lockedMemory)}, lifted by CAP_IPC_LOCK`);
      if (mayLockAll) {
        return {
          status: 'warn',
          message: `${size(lockedMemory)}: this process is free of it by CAP_IPC_LOCK, programs of other users are not`,
        };
      }
      if (lockedMemory >= 64 * MIB)
        return { status: 'warn', message: `${size(lockedMemory)}: 16 GiB or no limit is advised` };
      return {
        status: 'fail',
        breaks: true,
        message: `only ${size(lockedMemory)} may be locked: endpoints cannot be opened`,
      };
    },
  },
  {
    id: 'LIM-02',
    title: 'Huge pages are reserved',
    layer: 'limits',
    dependsOn: [],
    why: 'libfabric puts its buffers into huge pages where there are any; registrations of more than about 95 GB need them.',
    fix: { host: ['The package efa-config reserves them at boot. By hand: sysctl vm.nr_hugepages=N'] },
    references: ['https://github.com/ofiwg/libfabric/issues/9739'],
    probe: ({ limits }) => [
      {
        source: '/proc/meminfo',
        value: `HugePages_Total ${limits.hugePages ?? '?'}, Hugepagesize ${limits.hugePageBytes ?? '?'}`,
      },
    ],
    judge: ({ limits: { hugePages, hugePageBytes, cores } }) => {
      if (hugePages === undefined || hugePageBytes === undefined) return info('not known');
      if (hugePageBytes > 16 * MIB) return info('pages are too big here for a reservation to make sense');
      const wanted = cores === undefined ? undefined : Math.floor((110 * MIB * 2 * cores) / hugePageBytes) + 1;
      if (wanted === undefined || hugePages >= wanted) return pass(`${hugePages} pages`);
      return info(`${hugePages} pages; efa-config would reserve ${wanted} for ${cores!} cores`);
    },
  },
  {
    id: 'LIM-03',
    title: '/dev/shm is large enough',
    layer: 'limits',
    dependsOn: [],
    why: 'NCCL and the shm provider keep buffers there; docker gives 64 MiB unless told otherwise.',
    fix: {
      host: ['mount -o remount,size=50% /dev/shm'],
      container: ['docker: --shm-size 16g or --ipc host; Kubernetes: an emptyDir with medium Memory at /dev/shm.'],
    },
    references: [],
    probe: ({ mounts }) => [{ source: MOUNTS, value: `/dev/shm size ${mounts.sharedMemory ?? '(default)'}` }],
    judge: ({ mounts: { sharedMemory }, identity: { container } }) => {
      if (sharedMemory === undefined) return info('no size is set');
      if (sharedMemory >= GIB) return pass(size(sharedMemory));
      return container === undefined
        ? info(size(sharedMemory))
        : { status: 'warn', message: `${size(sharedMemory)}: NCCL may want more` };
    },
  },
  {
    id: 'LIM-04',
    title: 'Processes may copy from each other',
    layer: 'limits',
    dependsOn: [],
    why: "Yama's ptrace_scope above 0 forbids the single copy between processes of one host that the shm provider uses.",
    fix: { host: ['sysctl kernel.yama.ptrace_scope=0'] },
    references: ['https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html'],
    probe: (survey) => [fileEvidence(survey, '/proc/sys/kernel/yama/ptrace_scope')],
    judge: ({ limits: { ptraceScope } }) =>
      ptraceScope === undefined || ptraceScope === '0'
        ? pass('allowed')
        : { status: 'warn', message: `ptrace_scope is ${ptraceScope}: messages within this host are copied twice` },
  },
  {
    id: 'LIM-05',
    title: 'Files may be opened',
    layer: 'limits',
    dependsOn: [],
    why: 'Each endpoint has descriptors; efa-config sets 8192.',
    fix: { host: ['ulimit -n 8192'], container: ['docker: --ulimit nofile=8192'] },
    references: [],
    probe: ({ limits }) => [{ source: LIMITS, value: `Max open files ${limits.openFiles ?? '(unknown)'}` }],
    judge: ({ limits: { openFiles } }) => {
      if (openFiles === undefined || Number.isNaN(openFiles)) return info('the limit is not known');
      return openFiles >= 8192
        ? pass(String(openFiles))
        : { status: 'warn', message: `${openFiles}, efa-config sets 8192` };
    },
  },
];

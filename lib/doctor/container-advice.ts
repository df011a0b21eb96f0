/** How to start a container so that it has this machine's EFA devices, and why so. */
import type { Survey } from './survey/survey.js';
import { toleratesForeign } from './checks/device.js';

/** What starts containers. */
export const CONTAINER_KINDS = ['docker', 'pyxis', 'kubernetes', 'ecs'] as const;
/** One of them. */
export type ContainerKind = (typeof CONTAINER_KINDS)[number];

/** Said of each: what to put into the image, and what not to mount. */
const IMAGE = [
  '# In the image, in its last build stage:',
  '#   efa_installer.sh -y --skip-kmod --skip-limit-conf --no-verify',
  '#   (not --minimal; not a copy of /opt/amazon from another stage, which leaves libefa behind)',
  '# Do not mount /opt/amazon/efa or /opt/amazon/ofi-nccl of the host: they want the glibc and the',
  "# rdma-core of the host, and NCCL then takes TCP without a word. Keep a distribution's libfabric out.",
];

/** Lines to use as they are; `#` begins a reason. */
export function adviseContainer(kind: ContainerKind, survey: Survey): string {
  const { devices, selected } = survey;
  const nodesOf = (isEfa: boolean): string[] =>
    devices.rdma
      .filter((device) => device.isEfa === isEfa && device.uverbs !== undefined)
      .map(({ uverbs }) => `/dev/infiniband/${uverbs!}`);
  const nodes = nodesOf(true);
  const foreign = toleratesForeign(selected?.version) ? [] : nodesOf(false);
  const gpus = devices.gpus.length;
  const head =
    nodes.length === 0
      ? ['# This machine has no EFA device: what follows shows uverbs0 in its place.']
      : [`# ${nodes.length} EFA devices here: every one is passed, since libraries stripe over all of them.`];
  const passed = [...(nodes.length === 0 ? ['/dev/infiniband/uverbs0'] : nodes), ...foreign];
  const why =
    foreign.length === 0
      ? []
      : [`# ${foreign.join(' ')}: of another make; libfabric up to 2.6 loses efa when it cannot open one.`];
  const lines = { docker, pyxis, kubernetes, ecs }[kind](passed, nodes.length || 1, gpus);
  return `${[...head, ...why, ...lines, ...IMAGE].join('\n')}\n`;
}

function docker(nodes: readonly string[], _count: number, gpus: number): string[] {
  return [
    '# memlock: receive buffers are pinned. network host: counters and addresses of the host. shm: NCCL.',
    'docker run \\',
    ...(gpus > 0 ? ['  --gpus all \\'] : []),
    ...nodes.map((node) => `  --device=${node} \\`),
    '  --ulimit memlock=-1 --ulimit stack=67108864 --ulimit nofile=8192 \\',
    '  --network host --ipc host --shm-size 16g \\',
    '  -v /sys/devices:/sys/devices:ro \\',
    '  IMAGE',
  ];
}

function pyxis(): string[] {
  return [
    '# enroot passes /dev of the host, unless ENROOT_RESTRICT_DEV is set: the mount is for that case.',
    '# What the image sets wins over the job, except for names in --container-env; an exported empty',
    '# FI_PROVIDER takes every provider away.',
    'srun --container-image=IMAGE --container-mounts=/dev/infiniband:/dev/infiniband \\',
    '  --container-env=LD_LIBRARY_PATH,NCCL_DEBUG COMMAND',
    '# slurmd, /etc/systemd/system/slurmd.service.d/efa.conf:  [Service]  LimitMEMLOCK=infinity',
    '# slurm.conf:  PropagateResourceLimitsExcept=MEMLOCK',
  ];
}

function kubernetes(_nodes: readonly string[], count: number, gpus: number): string[] {
  const resources = [
    ...(gpus > 0 ? [`          nvidia.com/gpu: ${gpus}`] : []),
    `          vpc.amazonaws.com/efa: ${count}`,
    '          hugepages-2Mi: 5120Mi # only where the node has them reserved',
    '          memory: 32000Mi',
  ];
  return [
    '# The EFA device plugin (0.5.10 or newer) passes the nodes: no privileged, no hostPath of',
    '# /dev/infiniband, no hostNetwork. IPC_LOCK lifts the limit of locked memory.',
    'apiVersion: v1',
    'kind: Pod',
    'metadata:',
    '  name: efa',
    'spec:',
    '  containers:',
    '    - name: main',
    '      image: IMAGE',
    '      resources:',
    '        limits:',
    ...resources,
    '        requests:',
    ...resources,
    '      securityContext:',
    '        capabilities:',
    '          add: [IPC_LOCK]',
    '      volumeMounts:',
    '        - name: shm',
    '          mountPath: /dev/shm',
    '  volumes:',
    '    - name: shm',
    '      emptyDir:',
    '        medium: Memory',
  ];
}

function ecs(nodes: readonly string[]): string[] {
  const definition = {
    linuxParameters: {
      devices: nodes.map((hostPath) => ({ hostPath, permissions: ['READ', 'WRITE', 'MKNOD'] })),
      sharedMemorySize: 16384,
    },
    ulimits: [{ name: 'memlock', softLimit: -1, hardLimit: -1 }],
  };
  return ['# Of the container definition (AWS Batch: containerProperties):', JSON.stringify(definition, undefined, 2)];
}

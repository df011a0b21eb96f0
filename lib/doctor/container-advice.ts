/** How to start a container so that it has this machine's EFA devices, and why so. */
import { count } from './check.js';
import type { Survey } from './survey/survey.js';
import { compareVersions } from './survey/version.js';
import { toleratesForeign } from './checks/device.js';

/** What starts containers. */
export const CONTAINER_KINDS = ['docker', 'pyxis', 'kubernetes', 'ecs'] as const;
/** One of them. */
export type ContainerKind = (typeof CONTAINER_KINDS)[number];

/** Said of each: what to put into the image. */
const IMAGE = [
  '# In the last stage of the image:',
  '#   efa_installer.sh -y --skip-kmod --skip-limit-conf --no-verify',
  '#   Not --minimal; not a copy of /opt/amazon from another stage, which leaves libefa behind.',
  "#   Keep a distribution's libfabric and the rdma-core of HPC-X out of it.",
];
/** What the requests below are for. */
const HUGE_PAGES = 2560;

/** What a recipe is made of. */
interface Ingredients {
  readonly nodes: readonly string[];
  readonly gpus: number;
  readonly hasHugePages: boolean;
}

/** Lines to use as they are; `#` begins a reason. */
export function adviseContainer(kind: ContainerKind, survey: Survey): string {
  const { devices, selected, limits } = survey;
  const nodesOf = (isEfa: boolean): string[] =>
    devices.rdma
      .filter((device) => device.isEfa === isEfa && device.uverbs !== undefined)
      .map(({ uverbs }) => `/dev/infiniband/${uverbs!}`);
  const nodes = nodesOf(true);
  const foreign = toleratesForeign(selected?.version) ? [] : nodesOf(false);
  const head =
    nodes.length === 0
      ? ['# This machine has no EFA device: what follows shows uverbs0 in its place.']
      : [`# ${count(nodes.length, 'EFA device')} here: all are passed, since libraries stripe over all of them.`];
  const why =
    foreign.length === 0
      ? []
      : [
          `# ${foreign.join(' ')}: of another make. They are passed too, since libfabric`,
          '# up to 2.6 loses efa when it cannot open one of them.',
        ];
  const ingredients: Ingredients = {
    nodes: nodes.length === 0 ? ['/dev/infiniband/uverbs0'] : kind === 'kubernetes' ? nodes : [...nodes, ...foreign],
    gpus: devices.gpus.length,
    hasHugePages: (limits.hugePages ?? 0) >= HUGE_PAGES,
  };
  const lines = { docker, pyxis, kubernetes, ecs }[kind](ingredients);
  return `${[...head, ...(kind === 'kubernetes' ? [] : why), ...lines, ...IMAGE, ...warnOfMounts(survey)].join('\n')}\n`;
}

/** The host's software in an image: what it would take, and why not. */
function warnOfMounts({ selected, plugins, rdmaCore, loader }: Survey): string[] {
  const plugin = plugins.find(({ isOnPath }) => isOnPath);
  const [verbs] = rdmaCore.verbs;
  const [efa] = rdmaCore.efa;
  const rdma = [verbs, efa].filter((found) => found !== undefined);
  const libraries = [selected?.real, plugin?.real, ...rdma.map(({ real }) => real)].filter(
    (path) => path !== undefined,
  );
  const why = [
    '# Do not mount software of the host (/opt/amazon/efa, /opt/amazon/ofi-nccl): where it does not fit the',
    '# image it is not loaded, and NCCL takes TCP without a word.',
  ];
  const glibc = libraries
    .flatMap((path) => loader.elf(path)?.requires ?? [])
    .filter(({ library }) => library.startsWith('libc.so'))
    .flatMap(({ versions }) => versions.map((version) => version.replace('GLIBC_', '')))
    .sort(compareVersions)
    .at(-1);
  if (selected === undefined || glibc === undefined) return why;
  const mounts = new Set([
    selected.isAmazons ? '/opt/amazon/efa' : `${selected.real}:${selected.path}`,
    ...(plugin === undefined
      ? []
      : [plugin.path.startsWith('/opt/amazon/ofi-nccl') ? '/opt/amazon/ofi-nccl' : plugin.path]),
    ...rdma.map(({ real, path }) => `${real}:${path}`),
    ...(verbs === undefined ? [] : [verbs.real.replace(/[^/]*$/, 'libibverbs'), '/etc/libibverbs.d']),
  ]);
  return [
    ...why,
    `# This host's libraries want glibc ${glibc} or newer in the image, and only all of these together:`,
    ...[...mounts].map((mount) => `#   ${mount}`),
  ];
}

function docker({ nodes, gpus }: Ingredients): string[] {
  return [
    '# memlock: receive buffers are pinned. network host: counters and addresses of the host.',
    '# ipc and shm: NCCL and the shm provider; the size counts where ipc is not that of the host.',
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
    '# What the image sets wins over the job, except for names in --container-env (pyxis 0.15); an',
    '# exported empty FI_PROVIDER takes every provider away.',
    'srun --container-image=IMAGE --container-mounts=/dev/infiniband:/dev/infiniband \\',
    '  --container-env=LD_LIBRARY_PATH,NCCL_DEBUG COMMAND',
    '# Locked memory, in the unit of slurmd: LimitMEMLOCK=infinity',
    '# and in slurm.conf: PropagateResourceLimitsExcept=MEMLOCK',
  ];
}

function kubernetes({ nodes, gpus, hasHugePages }: Ingredients): string[] {
  const resources = [
    ...(gpus > 0 ? [`          nvidia.com/gpu: ${gpus}`] : []),
    `          vpc.amazonaws.com/efa: ${nodes.length}`,
    ...(hasHugePages ? ['          hugepages-2Mi: 5120Mi'] : []),
    '          memory: 32000Mi',
  ];
  return [
    '# The EFA device plugin (0.5.10 or newer; or the EFA DRA driver, Kubernetes 1.34) passes the nodes:',
    '# no privileged, no hostPath of /dev/infiniband, no hostNetwork. IPC_LOCK lifts the limit of locked memory.',
    '# Fewer EFA than the node has: set mofedEnabled=false in the NVIDIA device plugin (0.19.0 or newer),',
    '# which passes every uverbs otherwise.',
    hasHugePages
      ? '# Huge pages: this node has them reserved; a pod that asks for them elsewhere stays pending.'
      : '# No hugepages-2Mi: this node has too few reserved, and the pod would stay pending.',
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
    '      env:',
    '        # the bootstrap of NCCL is TCP, over the interface of the pod',
    '        - name: NCCL_SOCKET_IFNAME',
    "          value: '^lo,docker'",
    '      volumeMounts:',
    '        - name: shm',
    '          mountPath: /dev/shm',
    '  volumes:',
    '    # NCCL and the shm provider: the default is 64 MiB',
    '    - name: shm',
    '      emptyDir:',
    '        medium: Memory',
  ];
}

function ecs({ nodes }: Ingredients): string[] {
  const definition = {
    linuxParameters: {
      devices: nodes.map((hostPath) => ({ hostPath, permissions: ['READ', 'WRITE', 'MKNOD'] })),
      sharedMemorySize: 16384,
    },
    ulimits: [{ name: 'memlock', softLimit: -1, hardLimit: -1 }],
  };
  return [
    '# Of the container definition (AWS Batch: containerProperties). memlock: receive buffers are pinned.',
    '# sharedMemorySize, in MiB: NCCL and the shm provider.',
    JSON.stringify(definition, undefined, 2),
  ];
}

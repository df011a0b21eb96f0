import { count, fileEvidence, info, pass, type Check } from '../check.js';
import { reachesAccelerators } from '../survey/devices.js';
import { needsGpuDirect } from '../survey/identity.js';

export const gpuChecks: readonly Check[] = [
  {
    id: 'GPU-01',
    title: 'The network cards reach GPU memory',
    layer: 'gpu',
    dependsOn: ['RDMA-01'],
    why: 'The driver says in the file p2p whose memory it reaches. On p4d, p5, p6 and the like the NCCL plugin gives EFA up where it is empty.',
    fix: {
      host: [
        'Use the open NVIDIA kernel modules and EFA installer 1.29 or newer, and load its helper: modprobe efa_nv_peermem',
        'Then reload efa, which looks for the GPU driver when it is loaded: modprobe -r efa && modprobe efa. Or reboot.',
      ],
      container: ['On the host: open NVIDIA kernel modules, EFA installer 1.29 or newer, modprobe efa_nv_peermem.'],
    },
    references: [
      'https://github.com/aws/aws-ofi-nccl/issues/889',
      'https://github.com/aws/aws-parallelcluster/issues/6015',
      'https://github.com/awslabs/amazon-eks-ami/issues/2672',
    ],
    probe: ({ devices }) =>
      devices.rdma
        .filter(({ isEfa }) => isEfa)
        .map(({ peerToPeerFile, peerToPeer }) => ({
          source: peerToPeerFile,
          value: peerToPeer === undefined ? '(absent)' : peerToPeer === '' ? '(empty)' : peerToPeer,
        })),
    judge: ({ devices, identity, modules }) => {
      const efa = devices.rdma.filter(({ isEfa }) => isEfa);
      const reaching = efa.filter(reachesAccelerators);
      if (reaching.length === efa.length)
        return pass([...new Set(efa.map(({ peerToPeer }) => peerToPeer!))].join(', '));
      const isNeeded = needsGpuDirect(identity.instanceType);
      if (efa.every(({ peerToPeer }) => peerToPeer === undefined)) {
        const driver = modules.running ?? 'in-tree';
        return info(`the driver (${driver}) does not say; dmabuf may still work`);
      }
      if (reaching.length > 0) {
        return {
          status: 'warn',
          degrades: true,
          message: `${reaching.length} of ${efa.length} devices reach accelerators`,
        };
      }
      if (isNeeded) {
        return {
          status: 'fail',
          message: `no device reaches GPU memory, which NCCL's plugin demands on ${identity.instanceType!}`,
        };
      }
      if (devices.gpus.length === 0) return info('no accelerator');
      return info('GPU memory is staged through the host on this type');
    },
  },
  {
    id: 'GPU-02',
    title: 'GPU driver and its helpers',
    layer: 'gpu',
    dependsOn: [],
    why: 'The open kernel modules export GPU memory by dmabuf or efa_nv_peermem; the proprietary ones by nvidia_p2p only.',
    fix: { host: ['Install the open NVIDIA kernel modules and efa-nv-peermem 1.2.1 or newer.'] },
    references: [
      'https://github.com/amzn/amzn-drivers/issues/357',
      'https://github.com/aws/aws-parallelcluster/issues/6861',
    ],
    applies: ({ devices }) => devices.gpus.length > 0,
    probe: (survey) => [
      fileEvidence(survey, '/proc/driver/nvidia/version'),
      ...['efa_nv_peermem', 'gdrdrv'].map((name) => ({
        source: `/sys/module/${name}`,
        value: survey.modules.isLoaded(name) ? 'loaded' : 'absent',
      })),
    ],
    judge: ({ modules, devices }, [driver]) => {
      const version = driver!.value;
      if (version.startsWith('('))
        return { status: 'warn', message: `${count(devices.gpus.length, 'GPU')}, but no NVIDIA driver` };
      const isOpen = version.includes('Open Kernel Module');
      const efa = devices.rdma.filter((device) => device.isEfa && device.peerToPeer !== undefined);
      if (!isOpen && efa.length > 0 && !efa.some(reachesAccelerators)) {
        return { status: 'warn', message: 'proprietary kernel modules, and the efa driver does not reach GPU memory' };
      }
      const kind = isOpen ? 'open kernel modules' : 'proprietary kernel modules';
      return info(`${kind}; efa_nv_peermem ${modules.isLoaded('efa_nv_peermem') ? 'loaded' : 'not loaded'}`);
    },
  },
  {
    id: 'GPU-03',
    title: 'Which network card is near which GPU',
    layer: 'gpu',
    dependsOn: ['PCI-01'],
    why: 'A GPU with a network card of another PCIe switch or NUMA node gets about half of the bandwidth.',
    fix: {
      host: ['Let NCCL choose by its topology; in partial pods ask for GPUs and EFA that belong together (DRA).'],
    },
    references: [],
    applies: ({ devices }) => devices.gpus.length > 0,
    probe: ({ devices }) =>
      devices.gpus.map((gpu) => {
        const near = [...devices.efa].sort((a, b) => shared(b.path, gpu.path) - shared(a.path, gpu.path));
        const best = near.filter(({ path }) => near[0] && shared(path, gpu.path) === shared(near[0].path, gpu.path));
        return {
          source: `GPU ${gpu.address}, NUMA ${gpu.numa ?? '?'}`,
          value: best.map(({ address, numa }) => `${address} (NUMA ${numa ?? '?'})`).join(' '),
        };
      }),
    judge: ({ devices }) => {
      const numas = new Set(devices.efa.map(({ numa }) => numa));
      const lonely = devices.gpus.filter(({ numa }) => numa !== undefined && !numas.has(numa));
      if (lonely.length === 0) return info(`${count(devices.gpus.length, 'GPU')}, each with an EFA on its NUMA node`);
      return {
        status: 'warn',
        degrades: true,
        message: `${count(lonely.length, 'GPU')} without an EFA on the same NUMA node`,
      };
    },
  },
];

/** How many steps of the PCI tree two devices have in common. */
function shared(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  let index = 0;
  while (index < left.length && left[index] === right[index]) index++;
  return index;
}

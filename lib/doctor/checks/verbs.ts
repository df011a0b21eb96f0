import { pass, type Check } from '../check.js';
import { providerVersion } from '../survey/libraries.js';
import { describeProblem } from '../survey/loader.js';

const IN_IMAGE = [
  'In the last stage of the image: efa_installer.sh -y --skip-kmod --skip-limit-conf --no-verify',
  'Do not copy /opt/amazon/efa from another stage: that leaves libefa and libibverbs behind.',
];

export const verbsChecks: readonly Check[] = [
  {
    id: 'VERBS-01',
    title: 'libibverbs and libefa are found',
    layer: 'verbs',
    dependsOn: [],
    why: 'libfabric reaches the kernel through rdma-core. Two copies on the path, e.g. one of HPC-X, do not fit each other.',
    fix: { host: ['Run the EFA installer, or install rdma-core (31 or newer).'], container: IN_IMAGE },
    references: ['https://github.com/NVIDIA/JAX-Toolbox/issues/179'],
    probe: ({ rdmaCore }) =>
      [['libibverbs.so.1', rdmaCore.verbs] as const, ['libefa.so.1', rdmaCore.efa] as const].flatMap(([name, found]) =>
        found.length === 0
          ? [{ source: name, value: '(not found)' }]
          : found.map((file) => ({ source: file.path, value: `${file.real}, by ${file.found}` })),
      ),
    judge: ({ rdmaCore }) => {
      const missing = [
        ...(rdmaCore.verbs.length === 0 ? ['libibverbs.so.1'] : []),
        ...(rdmaCore.efa.length === 0 ? ['libefa.so.1'] : []),
      ];
      if (missing.length > 0) return { status: 'fail', message: `${missing.join(' and ')} not found` };
      if (rdmaCore.verbs.length > 1) {
        return {
          status: 'warn',
          message: `${rdmaCore.verbs.length} copies of libibverbs; ${rdmaCore.verbs[0]!.path} is taken`,
        };
      }
      return pass(`rdma-core ${rdmaCore.version ?? 'of unknown version'}`);
    },
  },
  {
    id: 'VERBS-02',
    title: 'libibverbs has a provider for EFA that fits',
    layer: 'verbs',
    dependsOn: ['VERBS-01'],
    why: 'libibverbs loads libefa-rdmavNN.so, named in /etc/libibverbs.d; both have to be of one rdma-core.',
    fix: {
      host: [
        'Install libibverbs and its providers from one source (EFA installer, or ibverbs-providers).',
        'Take foreign copies of libibverbs (HPC-X, MLNX_OFED) out of LD_LIBRARY_PATH.',
      ],
      container: [
        'Take foreign copies of libibverbs (HPC-X, MLNX_OFED) out of LD_LIBRARY_PATH, or remove them from the image.',
        ...IN_IMAGE,
      ],
    },
    references: ['https://github.com/NVIDIA-NeMo/Megatron-Bridge/issues/2824'],
    probe: ({ rdmaCore }) => [
      { source: '/etc/libibverbs.d/efa.driver', value: rdmaCore.driverFile ?? '(absent)' },
      { source: rdmaCore.verbs[0]?.real ?? 'libibverbs', value: `IBVERBS_PRIVATE_${rdmaCore.privateVersion ?? '?'}` },
      ...rdmaCore.providers.map((path) => ({ source: path, value: 'provider' })),
    ],
    judge: ({ rdmaCore, loader }) => {
      const { providers, privateVersion, driverFile, efa } = rdmaCore;
      const mismatch = loader
        .problems(efa[0]!.path)
        .find((problem) => problem.kind === 'version' && problem.version.startsWith('IBVERBS_'));
      if (mismatch !== undefined) return { status: 'fail', message: describeProblem(mismatch) };
      if (driverFile === undefined || !/^\s*driver\s+\S*efa\b/m.test(driverFile)) {
        return { status: 'fail', message: '/etc/libibverbs.d/efa.driver does not name the provider' };
      }
      const fitting = providers.find((path) => providerVersion(path) === privateVersion);
      if (fitting !== undefined) return pass(fitting);
      const wanted = `libefa-rdmav${privateVersion ?? 'NN'}.so`;
      const has = providers.length === 0 ? 'there is none' : `there is ${providers.join(', ')}`;
      return { status: 'fail', message: `libibverbs wants ${wanted} in its folder; ${has}` };
    },
  },
  {
    id: 'VERBS-03',
    title: 'libefa is new enough for libfabric',
    layer: 'verbs',
    dependsOn: ['VERBS-01', 'LF-01'],
    why: 'libfabric asks libefa for symbols of a version; an older rdma-core does not have them, and libfabric is not loaded at all.',
    fix: {
      host: ['Run the EFA installer of the same release as libfabric: it brings its rdma-core.'],
      container: IN_IMAGE,
    },
    references: [
      'https://github.com/PrimeIntellect-ai/prime-rl/issues/3454',
      'https://github.com/PrimeIntellect-ai/prime-rl/issues/3447',
    ],
    probe: ({ loader, selected, rdmaCore }) => [
      {
        source: `${selected!.path} needs`,
        value: (
          loader.elf(selected!.real)?.requires.find(({ library }) => library === 'libefa.so.1')?.versions ?? []
        ).join(' '),
      },
      {
        source: `${rdmaCore.efa[0]?.real ?? 'libefa'} has`,
        value: (loader.elf(rdmaCore.efa[0]?.real ?? '')?.defines ?? []).join(' '),
      },
    ],
    judge: ({ loader, selected }) => {
      const problem = loader
        .problems(selected!.path)
        .find((found) => found.kind === 'version' && found.library === 'libefa.so.1');
      if (problem === undefined) return pass('it has every version that libfabric asks for');
      return { status: 'fail', message: describeProblem(problem) };
    },
  },
];

import { count, info, pass, type Check } from '../check.js';
import { describeProblem, type LoadProblem } from '../survey/loader.js';
import type { Survey } from '../survey/survey.js';
import { isAtLeast } from '../survey/version.js';
import { LIBFABRIC } from '../survey/libraries.js';

const IN_IMAGE = 'In the last stage of the image: efa_installer.sh -y --skip-kmod --skip-limit-conf --no-verify';
const PUT_FIRST = {
  host: [
    "Remove the distribution's copy: apt-get remove libfabric1 libfabric-bin",
    "Or put Amazon's first: echo /opt/amazon/efa/lib > /etc/ld.so.conf.d/000_efa.conf && ldconfig (lib64 on rpm systems).",
  ],
  container: [
    "In the image: remove the distribution's libfabric, run the EFA installer with --skip-kmod, then ldconfig.",
  ],
};
const INSTALL = {
  host: ['Run the EFA installer: efa_installer.sh -y'],
  container: [IN_IMAGE],
};
/** For what loads, but is too old. */
const UPDATE = {
  host: ['Run the current EFA installer: efa_installer.sh -y'],
  container: [IN_IMAGE],
};

/** Problems that other checks do not tell already. */
function loadProblems({ loader, selected }: Survey): LoadProblem[] {
  const isTold = (problem: LoadProblem): boolean => problem.kind === 'version' && problem.library === 'libefa.so.1';
  return loader.problems(selected!.path).filter((problem) => !isTold(problem));
}

/** A distribution's copy before Amazon's. */
function hidesAmazons({ libfabric: { onPath, hidden }, selected }: Survey): boolean {
  return selected !== undefined && !selected.isAmazons && [...onPath, ...hidden].some(({ isAmazons }) => isAmazons);
}

/** EFA devices whose nodes are here, and that FI_EFA_IFACE lets through: a pod gets as many as it asks for. */
function reachable({ devices, host, environment }: Survey): number {
  const chosen = environment['FI_EFA_IFACE'];
  const isChosen = (name: string): boolean =>
    chosen === undefined || chosen === 'all' || chosen.split(',').includes(name);
  return devices.rdma.filter(
    ({ isEfa, uverbs, name }) =>
      isEfa && uverbs !== undefined && isChosen(name) && host.files.exists(`/dev/infiniband/${uverbs}`),
  ).length;
}

export const libfabricChecks: readonly Check[] = [
  {
    id: 'LF-01',
    title: 'Which libfabric programs get',
    layer: 'libfabric',
    dependsOn: [],
    why: "The loader takes the first libfabric.so.1 on its path; a distribution's old copy before Amazon's is a common reason for no EFA.",
    fix: PUT_FIRST,
    references: ['https://github.com/aws/aws-ofi-nccl/issues/241'],
    probe: ({ libfabric, host, loader }) => [
      ...libfabric.onPath.map(({ path, real, found, version }, index) => ({
        source: path,
        value: `${index === 0 ? 'taken' : 'shadowed'}: ${version ?? real}, by ${found}`,
      })),
      ...libfabric.hidden.map(({ path, version }) => ({ source: path, value: `not on the path: ${version ?? '?'}` })),
      ...loader
        .uncached(LIBFABRIC)
        .map((path) => ({ source: path, value: 'in ld.so.conf, not in the cache: run ldconfig' })),
      ...(host.live?.libraryPath === undefined
        ? []
        : [{ source: 'node-libfabric loads', value: host.live.libraryPath }]),
    ],
    judge: (survey) => {
      const { selected, installer, libfabric, options, loader } = survey;
      if (selected === undefined) {
        const [hidden] = libfabric.hidden;
        if (hidden !== undefined) {
          const stale = loader.uncached(LIBFABRIC).length > 0;
          return {
            status: 'fail',
            message: `${hidden.path} is there, but not on the loader's path`,
            fix: {
              host: stale ? ['ldconfig'] : PUT_FIRST.host.slice(1),
              container: ['In the image: ldconfig, or /opt/amazon/efa/lib in LD_LIBRARY_PATH.'],
            },
          };
        }
        if (installer?.isMinimal === true && options.consumer === undefined) {
          return {
            ...info('no libfabric here: installed with --minimal, images bring their own; check inside the container'),
            blocks: true,
          };
        }
        return { status: 'fail', message: 'there is no libfabric', fix: INSTALL };
      }
      if (!hidesAmazons(survey))
        return pass(`${selected.path} (${selected.version ?? 'version unknown'}), by ${selected.found}`);
      const isUseless = !selected.hasEfa || (selected.version !== undefined && !isAtLeast(selected.version, '1.18'));
      const message = `${selected.path} (${selected.version ?? '?'}, by ${selected.found}) hides Amazon's in /opt/amazon/efa`;
      return isUseless ? { status: 'fail', message } : { status: 'warn', degrades: true, message };
    },
  },
  {
    id: 'LF-02',
    title: 'libfabric can be loaded, and is new enough',
    layer: 'libfabric',
    dependsOn: ['LF-01'],
    why: 'A library whose own needs are not met is not loaded: programs then behave as if there were none. Before 1.18 device RDMA is off by default.',
    fix: {
      host: ['Run the EFA installer again: it brings libraries that fit each other.'],
      container: [
        'Do not mount libraries of the host, which want its glibc and its rdma-core: install them in the image.',
        IN_IMAGE,
      ],
    },
    references: ['https://github.com/aws/aws-ofi-nccl/issues/141'],
    probe: (survey) => [
      { source: survey.selected!.real, value: survey.selected!.version ?? '(version unknown)' },
      ...loadProblems(survey).map((problem) => ({ source: problem.by, value: describeProblem(problem) })),
    ],
    judge: (survey) => {
      const [problem] = loadProblems(survey);
      if (problem !== undefined) return { status: 'fail', message: describeProblem(problem) };
      const { version } = survey.selected!;
      if (version === undefined) return info('it loads; its version is not in its name');
      if (isAtLeast(version, '1.18')) return pass(version);
      return {
        status: 'warn',
        message: `it loads, but ${version} is older than 1.18, which NCCL's plugin needs and which turns device RDMA on`,
        fix: UPDATE,
      };
    },
  },
  {
    id: 'LF-03',
    title: 'libfabric was built with efa',
    layer: 'libfabric',
    dependsOn: ['LF-02'],
    why: 'Some distributions build libfabric without efa. Up to 2.0 `fi_info -l` hides efa without a device, so the library itself is looked into.',
    fix: INSTALL,
    references: ['https://github.com/cbcrc/mxl-k8s/issues/65'],
    probe: ({ selected }) => [
      { source: selected!.real, value: selected!.hasEfa ? 'has FI_EFA_, efadv_ or libefa' : 'has nothing of efa' },
    ],
    judge: ({ selected }) =>
      selected!.hasEfa
        ? pass('efa is built in')
        : { status: 'fail', message: `${selected!.path} was built without the efa provider` },
  },
  {
    id: 'LF-04',
    title: 'libfabric opens efa (live)',
    layer: 'libfabric',
    dependsOn: ['LF-03', 'DEV-03', 'VERBS-02', 'VERBS-03', 'ENV-01', 'ENV-02', 'ENV-03', 'ENV-04', 'ENV-05', 'LIM-01'],
    why: 'The proof: fi_getinfo(3) for reliable endpoints of efa, asked in a process of its own.',
    fix: {
      host: ['FI_LOG_LEVEL=warn fi_info -p efa -t FI_EP_RDM says what libfabric met.'],
    },
    references: ['https://ofiwg.github.io/libfabric/main/man/fi_efa.7.html'],
    applies: ({ host }) => host.live?.efa !== undefined || host.live?.failure !== undefined,
    probe: ({ host: { live } }) => [
      { source: 'libfabric', value: `${live!.libraryPath ?? '(not loaded)'} ${live!.libraryVersion ?? ''}`.trim() },
      {
        source: 'fi_getinfo(efa, FI_EP_RDM)',
        value: live!.failure ?? live!.efa?.error ?? live!.efa?.domains.join(' ') ?? '',
      },
      ...(live!.log ?? []).map((value) => ({ source: 'FI_LOG_LEVEL=warn', value })),
    ],
    judge: (survey) => {
      const { live } = survey.host;
      const found = live!.efa?.domains.length ?? 0;
      if (found === 0) {
        const error = live!.failure ?? live!.efa?.error ?? 'no entry';
        return { status: 'fail', message: `fi_getinfo for efa: ${error}`, breaks: live!.failure !== undefined };
      }
      const given = reachable(survey);
      if (found < given) {
        return { status: 'warn', degrades: true, message: `${count(found, 'domain')} for ${count(given, 'device')}` };
      }
      return pass(`${count(found, 'domain')}, fabric ${live!.efa!.fabrics.join(', ')}`);
    },
  },
  {
    id: 'LF-05',
    title: 'efa reaches GPU memory (live)',
    layer: 'libfabric',
    dependsOn: ['LF-04'],
    why: 'The same question with FI_HMEM: without it GPU memory is staged through the host.',
    fix: { host: ['See the checks of the layer GPUs.'] },
    references: ['https://github.com/aws/aws-ofi-nccl/issues/889'],
    applies: ({ host, devices }) => host.live?.hmem !== undefined && devices.efa.length > 0,
    probe: ({ host }) => [
      {
        source: 'fi_getinfo(efa, FI_EP_RDM, FI_HMEM)',
        value: host.live!.hmem!.error ?? host.live!.hmem!.domains.join(' '),
      },
    ],
    judge: ({ host, devices }) => {
      if (host.live!.hmem!.domains.length > 0) return pass(count(host.live!.hmem!.domains.length, 'domain'));
      if (devices.gpus.length === 0) return info('no FI_HMEM, and no GPU');
      return { status: 'warn', degrades: true, message: 'there are GPUs, but efa has no FI_HMEM' };
    },
  },
  {
    id: 'LF-06',
    title: 'One libfabric in a process',
    layer: 'libfabric',
    dependsOn: ['LF-01'],
    why: "Two copies of libfabric in one process make each other's devices vanish.",
    fix: {
      host: [
        'Make every library of a program find one libfabric: see LF-01. For this package NODE_LIBFABRIC_LIBRARY names it.',
      ],
    },
    references: ['https://github.com/kvcache-ai/Mooncake/pull/2271'],
    probe: (survey) => [
      ...(survey.host.live?.mapped ?? []).map((path) => ({ source: 'node-libfabric maps', value: path })),
      ...users(survey).map(({ user, file }) => ({ source: user, value: file })),
    ],
    judge: (survey) => {
      const mapped = survey.host.live?.mapped ?? [];
      if (mapped.length > 1) {
        return { status: 'warn', degrades: true, message: `${mapped.length} copies are mapped: ${mapped.join(', ')}` };
      }
      const taken = [{ user: 'other programs', file: survey.selected!.real }, ...users(survey)];
      const other = taken.find(({ file }) => file !== taken[0]!.file);
      if (other !== undefined) {
        return {
          status: 'warn',
          message: `${other.user} takes ${other.file}, ${taken[0]!.user} take ${taken[0]!.file}: not both in one process`,
        };
      }
      const [own] = mapped;
      if (own !== undefined && own !== taken[0]!.file) {
        return info(`node-libfabric takes ${own}, other programs take ${taken[0]!.file}`);
      }
      return pass(taken[0]!.file);
    },
  },
];

/** Libraries that bring libfabric into a process, and the file that they would get. */
function users({ loader, plugins, openmpi }: Survey): { user: string; file: string }[] {
  const plugin = plugins.find(({ isOnPath }) => isOnPath);
  return [
    ...(plugin === undefined ? [] : [{ user: "NCCL's plugin", library: plugin.real }]),
    ...openmpi.map(({ folder, component }) => ({ user: `Open MPI in ${folder}`, library: component })),
  ].flatMap(({ user, library }) => {
    const file = library === undefined ? undefined : loader.find(LIBFABRIC, library)[0]?.real;
    return file === undefined ? [] : [{ user, file }];
  });
}

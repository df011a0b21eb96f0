import { pass, type Check, type Evidence, type Fix, type Judgement } from '../check.js';
import { allowsProvider, unknownProviders } from '../../provider-filter.js';
import { needsGpuDirect } from '../survey/identity.js';
import type { Survey } from '../survey/survey.js';

const EFA_VARIABLES = 'https://github.com/aws/aws-ofi-nccl/blob/master/doc/efa-env-var.md';
const FI_EFA = 'https://ofiwg.github.io/libfabric/main/man/fi_efa.7.html';
const FABRIC = 'https://ofiwg.github.io/libfabric/main/man/fabric.7.html';

/** libfabric stops the process when it finds one of these, though the manual still has the first. */
const ABORTING = ['FI_EFA_MTU_SIZE', 'FI_EFA_TX_IOV_LIMIT', 'FI_EFA_RX_IOV_LIMIT'];
const IGNORED = ['FI_EFA_SET_CUDA_SYNC_MEMOPS', 'FI_EFA_SHM_MAX_MEDIUM_SIZE', 'FI_EFA_ZCPY_RX_SEED'];
const FORK = ['FI_EFA_FORK_SAFE', 'RDMAV_FORK_SAFE', 'IBV_FORK_SAFE'];

/** RDMA read, but no write. */
const READ_ONLY = /^(hpc7g\.|c7gn\.16xlarge$)/;
/** No to libfabric. */
const isOff = (value: string): boolean => ['0', 'no', 'false', 'off'].includes(value.toLowerCase());
/** Of the NCCL plugin: gone, or without effect. */
const GONE = [
  'OFI_NCCL_RDMA_MIN_POSTED_BOUNCE_BUFFERS',
  'OFI_NCCL_RDMA_MAX_POSTED_BOUNCE_BUFFERS',
  'OFI_NCCL_ENDPOINT_PER_COMM',
];

interface Rule {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly names: readonly string[];
  /** Also variables whose names begin so. */
  readonly prefix?: string;
  /** libfabric looks for them in the environment only. */
  readonly ignoresFile?: true;
  readonly fix: Fix;
  readonly references: readonly string[];
  readonly judge: (survey: Survey, set: readonly Evidence[]) => Judgement;
}

const fail = (message: string, breaks = false): Judgement => ({ status: 'fail', message, breaks });
const warn = (message: string, degrades = false): Judgement => ({ status: 'warn', message, degrades });
const listOf = (set: readonly Evidence[]): string => set.map(({ source, value }) => `${source}=${value}`).join(', ');
/** A host's shell and a container's manifest. */
const unset = (names: string): Fix => ({
  host: [`unset ${names}`],
  container: [`Remove ${names} from the image (ENV), the manifest (env) or --container-env.`],
});

const rules: readonly Rule[] = [
  {
    id: 'ENV-01',
    title: 'FI_PROVIDER allows efa',
    why: 'FI_PROVIDER is a list of providers; a leading ^ turns all of it around, blanks count, case does not, and an empty value allows nothing at all.',
    names: ['FI_PROVIDER'],
    fix: unset('FI_PROVIDER'),
    references: [FABRIC],
    judge: ({ environment }) => {
      const value = environment['FI_PROVIDER'];
      if (value === undefined) return pass('not set');
      if (allowsProvider(value, 'efa')) {
        const strange = unknownProviders(value);
        if (strange.length === 0) return pass(`FI_PROVIDER=${value}`);
        const names = strange.map((name) => `"${name}"`).join(', ');
        return warn(`FI_PROVIDER="${value}" has ${names}, which no provider is called; efa is allowed`);
      }
      if (value === '') return fail('FI_PROVIDER is set but empty: libfabric then has no provider at all', true);
      if (allowsProvider(value.replaceAll(/\s/g, ''), 'efa')) {
        return fail(`FI_PROVIDER="${value}" has a blank, which belongs to the name: efa is not allowed`);
      }
      return fail(`FI_PROVIDER=${value} excludes efa`);
    },
  },
  {
    id: 'ENV-02',
    title: 'No variable that stops libfabric',
    why: 'libfabric ends the process when it meets these; the manual page still has FI_EFA_MTU_SIZE.',
    names: ABORTING,
    ignoresFile: true,
    fix: unset(ABORTING.join(' ')),
    references: [FI_EFA],
    judge: (_survey, set) =>
      set.length === 0 ? pass('none') : fail(`${listOf(set)}: efa ends the process with abort()`, true),
  },
  {
    id: 'ENV-03',
    title: 'FI_EFA_IFACE names devices that are here',
    why: 'A name that does not exist leaves no device; an empty value ends the process. Names change when the driver is reloaded.',
    names: ['FI_EFA_IFACE'],
    fix: unset('FI_EFA_IFACE'),
    references: [FI_EFA],
    judge: ({ environment, devices }) => {
      const value = environment['FI_EFA_IFACE'];
      if (value === undefined || value === 'all') return pass(value ?? 'not set');
      if (value === '') return fail('FI_EFA_IFACE is set but empty: efa ends the process with abort()', true);
      const known = new Set(devices.rdma.filter(({ isEfa }) => isEfa).map(({ name }) => name));
      const unknown = value.split(',').filter((name) => !known.has(name));
      if (known.size === 0 || unknown.length === 0) return pass(value);
      const message = `FI_EFA_IFACE names ${unknown.join(', ')}; here are ${[...known].join(', ')}`;
      return unknown.length === value.split(',').length ? fail(message) : warn(message, true);
    },
  },
  {
    id: 'ENV-04',
    title: 'Device RDMA is left to libfabric',
    why: "Unset, libfabric 1.18 and newer does what the hardware can. 0 makes writes emulated, which NCCL's plugin refuses on p5 and later; 1 on hardware without RDMA read ends the process.",
    names: ['FI_EFA_USE_DEVICE_RDMA'],
    fix: unset('FI_EFA_USE_DEVICE_RDMA'),
    references: [EFA_VARIABLES],
    judge: ({ environment, devices, identity }) => {
      const value = environment['FI_EFA_USE_DEVICE_RDMA'];
      if (value === undefined) return pass('not set');
      const hasDeviceRdma = devices.efa.some(({ device }) => device >= 0xefa1);
      const hasWrite = hasDeviceRdma && !READ_ONLY.test(identity.instanceType ?? '');
      const hasRead = hasDeviceRdma || /^p4de?\./.test(identity.instanceType ?? '');
      if (isOff(value) && hasWrite) {
        return fail(
          `FI_EFA_USE_DEVICE_RDMA=${value} turns off what this hardware has: NCCL's RDMA protocol refuses to run`,
        );
      }
      if (!isOff(value) && devices.efa.length > 0 && !hasRead) {
        return fail(`FI_EFA_USE_DEVICE_RDMA=${value}, but this hardware has no RDMA read: efa ends the process`, true);
      }
      return isOff(value)
        ? warn(`FI_EFA_USE_DEVICE_RDMA=${value} turns RDMA read off`, hasRead)
        : pass(`${value}; not needed`);
    },
  },
  {
    id: 'ENV-05',
    title: 'Fork and huge page settings',
    why: 'Fork support is not needed with kernel 5.13 and rdma-core 35 or newer, and together with huge pages it ends the process.',
    names: [...FORK, 'RDMAV_HUGEPAGES_SAFE', 'FI_EFA_USE_HUGE_PAGE'],
    fix: unset(FORK.join(' ')),
    references: [EFA_VARIABLES, 'https://github.com/ofiwg/libfabric/issues/6332'],
    judge: ({ environment }, set) => {
      const isOn = (name: string): boolean => environment[name] !== undefined && !isOff(environment[name]);
      const fork = FORK.filter(isOn);
      if (fork.length > 0 && isOn('FI_EFA_USE_HUGE_PAGE')) {
        return fail(`${fork.join(', ')} with FI_EFA_USE_HUGE_PAGE=1: efa ends the process with abort()`, true);
      }
      if (fork.length > 0 && isOn('RDMAV_HUGEPAGES_SAFE')) {
        return fail(`${fork.join(', ')} with RDMAV_HUGEPAGES_SAFE: efa does not start (-EINVAL)`);
      }
      if (fork.length > 0) return { status: 'info', message: `${fork.join(', ')}: not needed on current systems` };
      return pass(set.length === 0 ? 'none' : listOf(set));
    },
  },
  {
    id: 'ENV-06',
    title: 'Other settings of efa',
    why: 'Deprecated variables have no effect; some turn useful things off.',
    names: [
      ...[...IGNORED, 'FI_EFA_ENABLE_SHM_TRANSFER', 'FI_EFA_USE_HW_CNTR', 'FI_EFA_USE_SQ_REQ_ID_64_BIT'],
      ...['FI_PROVIDER_PATH', 'FI_LOG_LEVEL', 'FI_LOG_PROV', 'FI_LOG_SUBSYS'],
    ],
    fix: unset('what is named'),
    references: [FI_EFA],
    judge: (_survey, set) => {
      if (set.length === 0) return pass('none');
      const ignored = set.filter(({ source }) => IGNORED.includes(source));
      if (ignored.length > 0) return { status: 'info', message: `${listOf(ignored)}: deprecated, without effect` };
      const shm = set.find(({ source, value }) => source === 'FI_EFA_ENABLE_SHM_TRANSFER' && isOff(value));
      if (shm !== undefined)
        return { status: 'info', message: `${listOf([shm])}: for tests; it slows traffic within the node` };
      return { status: 'info', message: listOf(set) };
    },
  },
  {
    id: 'ENV-07',
    title: 'libfabric may reach GPU memory',
    why: 'FI_HMEM_DISABLE_P2P=1 sends GPU memory through the host. Messages of libfabric call it FI_HMEM_P2P_DISABLED, which does not exist.',
    names: [],
    prefix: 'FI_HMEM',
    fix: unset('FI_HMEM_DISABLE_P2P'),
    references: [FABRIC],
    judge: ({ environment }, set) => {
      if (['1', 'yes', 'true', 'on'].includes(environment['FI_HMEM_DISABLE_P2P']?.toLowerCase() ?? '')) {
        return warn('FI_HMEM_DISABLE_P2P is set: GPU memory is staged through the host', true);
      }
      return set.length === 0 ? pass('none') : { status: 'info', message: listOf(set) };
    },
  },
  {
    id: 'ENV-08',
    title: 'NCCL_NET allows the plugin',
    why: 'NCCL_NET=Socket or IB is not EFA. NCCL_NET=Libfabric ("AWS Libfabric" before plugin 1.17) makes a fallback an error: good in production.',
    names: ['NCCL_NET', 'NCCL_NET_PLUGIN'],
    fix: unset('NCCL_NET NCCL_NET_PLUGIN'),
    references: [EFA_VARIABLES],
    judge: ({ environment }, set) => {
      const net = environment['NCCL_NET'];
      if (net === 'Socket' || net === 'IB') return fail(`NCCL_NET=${net} excludes EFA`);
      if (environment['NCCL_NET_PLUGIN'] === 'none') return fail('NCCL_NET_PLUGIN=none excludes EFA');
      return set.length === 0 ? pass('not set; NCCL_NET=Libfabric would make a fallback an error') : pass(listOf(set));
    },
  },
  {
    id: 'ENV-09',
    title: 'NCCL may use GPUDirect RDMA',
    why: 'NCCL_NET_GDR_LEVEL=0 (or LOC) turns GPUDirect RDMA off: data is staged through the host.',
    names: ['NCCL_NET_GDR_LEVEL', 'NCCL_NET_GDR_READ', 'NCCL_P2P_DISABLE', 'NCCL_SHM_DISABLE', 'NCCL_PROTO'],
    prefix: 'NCCL_IB_',
    fix: unset('NCCL_NET_GDR_LEVEL NCCL_P2P_DISABLE NCCL_SHM_DISABLE NCCL_PROTO'),
    references: ['https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html'],
    judge: ({ environment }, set) => {
      const level = environment['NCCL_NET_GDR_LEVEL'];
      if (level === '0' || level === 'LOC') return warn(`NCCL_NET_GDR_LEVEL=${level} turns GPUDirect RDMA off`, true);
      const off = ['NCCL_P2P_DISABLE', 'NCCL_SHM_DISABLE'].filter((name) => environment[name] === '1');
      if (off.length > 0) return warn(`${off.join(', ')} slows traffic within the node`);
      if (environment['NCCL_PROTO'] !== undefined) {
        return { status: 'info', message: 'NCCL_PROTO is for plugins up to 1.5.0 only' };
      }
      const ib = set.filter(({ source }) => source.startsWith('NCCL_IB_'));
      if (ib.length > 0) return { status: 'info', message: `${listOf(ib)}: of InfiniBand, without effect on EFA` };
      return set.length === 0 ? pass('nothing in the way') : { status: 'info', message: listOf(set) };
    },
  },
  {
    id: 'ENV-10',
    title: 'Settings of the NCCL plugin',
    why: 'OFI_NCCL_DISABLE_GDR_REQUIRED_CHECK=1 hides the real fault; others are gone or for experts.',
    names: [],
    prefix: 'OFI_NCCL_',
    fix: unset('what is named'),
    references: ['https://github.com/aws/aws-ofi-nccl'],
    judge: ({ environment }, set) => {
      if (environment['OFI_NCCL_DISABLE_GDR_REQUIRED_CHECK'] === '1') {
        return warn('OFI_NCCL_DISABLE_GDR_REQUIRED_CHECK=1 hides why GPUDirect does not work', true);
      }
      const gone = set.filter(({ source }) => GONE.includes(source));
      if (gone.length > 0) return warn(`${listOf(gone)}: current plugins ignore this`);
      if (environment['OFI_NCCL_NIC_DUP_CONNS'] !== undefined) {
        return warn('OFI_NCCL_NIC_DUP_CONNS is an error of the plugin together with GPUDirect RDMA');
      }
      return set.length === 0 ? pass('none') : { status: 'info', message: listOf(set) };
    },
  },
  {
    id: 'ENV-11',
    title: 'Library paths',
    why: 'Kubernetes and Docker do not expand $LD_LIBRARY_PATH in a value: it stays there as text, and the path that it should add is lost. A preloaded plugin or libfabric escapes every check.',
    names: ['LD_LIBRARY_PATH', 'LD_PRELOAD'],
    fix: {
      host: ['Set LD_LIBRARY_PATH in a shell, where it is expanded; leave LD_PRELOAD alone.'],
      container: ['Write the whole path out, or use ld.so.conf.d and ldconfig in the image; leave LD_PRELOAD alone.'],
    },
    references: ['https://github.com/awslabs/awsome-distributed-ai/issues/881'],
    judge: ({ environment }, set) => {
      if (/\$\{?LD_LIBRARY_PATH/.test(environment['LD_LIBRARY_PATH'] ?? '')) {
        return warn('LD_LIBRARY_PATH has $LD_LIBRARY_PATH as text: nobody expanded it');
      }
      if (/libnccl-net|libfabric/.test(environment['LD_PRELOAD'] ?? ''))
        return warn('LD_PRELOAD has a libfabric or an NCCL plugin');
      return set.length === 0 ? pass('not set') : { status: 'info', message: listOf(set) };
    },
  },
  {
    id: 'ENV-12',
    title: 'Settings of Open MPI allow EFA',
    why: 'A choice of pml, mtl or btl that leaves ofi out takes TCP; the MTL has a list of libfabric providers of its own.',
    names: [
      'OMPI_MCA_pml',
      'OMPI_MCA_mtl',
      'OMPI_MCA_btl',
      'OMPI_MCA_mtl_ofi_provider_include',
      'OMPI_MCA_mtl_ofi_provider_exclude',
    ],
    fix: unset('the OMPI_MCA_ variables that are named'),
    references: ['https://docs.open-mpi.org/en/main/tuning-apps/networking/ofi.html'],
    judge: ({ environment }, set) => {
      const excluding = set.filter(({ source }) => excludesEfa(source, environment[source]!));
      if (excluding.length > 0) return fail(`${listOf(excluding)} excludes EFA`);
      return set.length === 0 ? pass('none') : pass(listOf(set));
    },
  },
];

/** Whether a setting of Open MPI keeps it from libfabric's efa. */
export function excludesEfa(name: string, value: string): boolean {
  const items = value.split(',').map((item) => item.trim());
  const isNegated = value.startsWith('^');
  const lists = (item: string): boolean => items.some((found) => found.replace(/^\^/, '') === item);
  switch (name) {
    case 'OMPI_MCA_pml':
      return isNegated ? lists('cm') : !lists('cm');
    case 'OMPI_MCA_mtl':
      return isNegated ? lists('ofi') : !lists('ofi');
    case 'OMPI_MCA_mtl_ofi_provider_include':
      return !lists('efa');
    case 'OMPI_MCA_mtl_ofi_provider_exclude':
      return lists('efa');
    default:
      return false;
  }
}

/** What a rule is about. */
const setVariables = ({ environment, configuration }: Survey, { names, prefix, ignoresFile }: Rule): Evidence[] =>
  Object.entries(environment)
    .filter(([name]) => names.includes(name) || (prefix !== undefined && name.startsWith(prefix)))
    .filter(([name]) => ignoresFile === undefined || !configuration.fromFile.has(name))
    .map(([source, value]) => ({ source, value }));

/** Which of them libfabric.conf has set, where nobody who looks at the environment sees them. */
const inFile = ({ configuration }: Survey, set: readonly Evidence[]): Evidence[] =>
  set.filter(({ source }) => configuration.fromFile.has(source));

function judge(survey: Survey, rule: Rule): Judgement {
  const set = setVariables(survey, rule);
  const judgement = rule.judge(survey, set);
  const hidden = inFile(survey, set).map(({ source }) => source);
  const { path } = survey.configuration;
  if (hidden.length === 0 || path === undefined) return judgement;
  const names = hidden.join(', ');
  return {
    ...judgement,
    message: `${judgement.message} (${names} is set in ${path})`,
    fix: { host: [`Take ${names} out of ${path}.`], container: [`Take ${names} out of ${path} in the image.`] },
  };
}

/** Rules about programs that are not here would only distract. */
const APPLIES: Readonly<Record<string, (survey: Survey) => boolean>> = {
  'ENV-08': (survey) => survey.hasNccl,
  'ENV-09': (survey) => survey.hasNccl,
  'ENV-10': (survey) => survey.hasNccl,
  'ENV-12': (survey) => survey.hasMpi,
};

export const environmentChecks: readonly Check[] = rules.map((rule) => {
  const { id, title, why, fix, references } = rule;
  const applies = APPLIES[id];
  return {
    id,
    title,
    layer: 'environment',
    dependsOn: [],
    why,
    fix,
    references,
    ...(applies === undefined ? {} : { applies }),
    probe: (survey) => {
      const set = setVariables(survey, rule);
      const place = survey.configuration.path ?? '';
      return [
        ...set,
        ...inFile(survey, set).map(({ source, value }) => ({ source: place, value: `${source}=${value}` })),
      ];
    },
    judge: (survey) => judge(survey, rule),
  } satisfies Check;
});

/** NCCL's plugin demands GPUDirect here, and nobody told it otherwise. */
export const demandsGpuDirect = ({ identity, environment }: Survey): boolean =>
  needsGpuDirect(identity.instanceType) && environment['OFI_NCCL_DISABLE_GDR_REQUIRED_CHECK'] !== '1';

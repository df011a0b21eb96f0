/** libfabric, rdma-core and the NCCL plugin as files. */
import { basename, dirname } from 'node:path';
import type { Host } from '../host.js';
import type { Candidate, Loader, LoadProblem } from './loader.js';

/** A libfabric that programs here could get. */
export interface LibfabricFile extends Candidate {
  /** By its file's name: `2.4`. */
  readonly version: string | undefined;
  readonly isAmazons: boolean;
  readonly hasEfa: boolean;
}

export const LIBFABRIC = 'libfabric.so.1';
export const AMAZON_FOLDERS = ['/opt/amazon/efa/lib64', '/opt/amazon/efa/lib'];

/** libfabric.so.1.N.0: 1.M has N = M + 3, 2.M has N = M + 26. */
export function libfabricVersion(file: string): string | undefined {
  const minor = Number(/\.so\.1\.(\d+)\.\d+$/.exec(file)?.[1] ?? NaN);
  if (Number.isNaN(minor)) return undefined;
  return minor >= 26 ? `2.${minor - 26}` : `1.${minor - 3}`;
}

export function findLibfabric(host: Host, loader: Loader): { onPath: LibfabricFile[]; hidden: LibfabricFile[] } {
  const describe = (candidate: Candidate): LibfabricFile => ({
    ...candidate,
    version: libfabricVersion(candidate.real),
    isAmazons: candidate.real.startsWith('/opt/amazon/'),
    hasEfa:
      loader.contains(candidate.real, 'FI_EFA_') ||
      loader.contains(candidate.real, 'efadv_') ||
      // built as a file of its own
      host.files.exists(`${dirname(candidate.real)}/libfabric/libefa-fi.so`) ||
      (loader.elf(candidate.real)?.needed.includes('libefa.so.1') ?? false),
  });
  const onPath = loader.find(LIBFABRIC).map(describe);
  const hidden = AMAZON_FOLDERS.map((folder) => `${folder}/${LIBFABRIC}`)
    .map((path) => ({ path, real: host.files.real(path), found: 'the EFA installer, not on the path' }))
    .filter((candidate): candidate is Candidate => candidate.real !== undefined)
    .filter(({ real }) => !onPath.some((found) => found.real === real))
    .map(describe);
  return { onPath, hidden };
}

/** An aws-ofi-nccl plugin. */
export interface PluginFile {
  readonly path: string;
  readonly real: string;
  readonly isOnPath: boolean;
  readonly version: string | undefined;
  readonly problems: readonly LoadProblem[];
  /** The libfabric that it gets, by its own paths. */
  readonly libfabric: Candidate | undefined;
  /** Built for AWS: it takes efa or nothing. */
  readonly isForAws: boolean;
}

const PLUGIN_NAMES = ['libnccl-net.so', 'libnccl-net-ofi.so', 'libnccl-net-aws-ofi.so'];
const PLUGIN_FOLDERS = [
  '/opt/amazon/ofi-nccl/lib',
  '/opt/amazon/ofi-nccl/lib64',
  '/opt/amazon/ofi-nccl/lib/x86_64-linux-gnu',
  '/opt/amazon/ofi-nccl/lib/aarch64-linux-gnu',
  '/opt/amazon/aws-ofi-nccl/lib',
  '/opt/aws-ofi-nccl/lib',
  '/opt/aws-ofi-nccl/install/lib',
];

/** Names that NCCL tries for a value of NCCL_NET_PLUGIN. */
export function pluginNames(value: string | undefined): string[] {
  if (value === undefined || value === '') return ['libnccl-net.so'];
  if (value.includes('/') || value.endsWith('.so')) return [value];
  return [`libnccl-net-${value}.so`, `lib${value}.so`];
}

export function findPlugins(host: Host, loader: Loader): PluginFile[] {
  const wanted = pluginNames(host.environment['NCCL_NET_PLUGIN']);
  const onPath = new Map<string, string>();
  for (const name of [...wanted, ...PLUGIN_NAMES]) {
    const [first] = loader.find(name);
    if (first !== undefined && !onPath.has(first.real)) onPath.set(first.real, first.path);
  }
  const reachable = new Set(wanted.map((name) => loader.find(name)[0]?.real));
  const elsewhere = PLUGIN_FOLDERS.flatMap((folder) => PLUGIN_NAMES.map((name) => `${folder}/${name}`));
  const files = new Map<string, string>(onPath);
  for (const path of elsewhere) {
    const real = host.files.real(path);
    if (real !== undefined && !files.has(real)) files.set(real, path);
  }
  return [...files].map(([real, path]) => {
    const text = loader.bytes(real)?.toString('latin1') ?? '';
    return {
      path,
      real,
      isOnPath: reachable.has(real),
      version: /Initializing aws-ofi-nccl (\d[\w.]*)/.exec(text)?.[1],
      problems: loader.problems(path),
      libfabric: loader.find(LIBFABRIC, real)[0],
      isForAws:
        text.includes('platform-aws') || text.includes('Plugin selected platform') || /\bp4d\.24xlarge\b/.test(text),
    };
  });
}

/** An Open MPI of the EFA installer. */
export interface OpenMpi {
  readonly folder: string;
  /** The library by which it reaches libfabric; undefined where there is none. */
  readonly component: string | undefined;
  /** Whether it was built with libfabric; undefined where its libraries are not here. */
  readonly hasOfi: boolean | undefined;
}

export function findOpenMpi({ files }: Host, loader: Loader): OpenMpi[] {
  return files.list('/opt/amazon', /^openmpi/).map((name) => {
    const folder = `/opt/amazon/${name}`;
    const existing = (file: string): string | undefined =>
      ['lib64', 'lib'].map((lib) => files.real(`${folder}/${lib}/${file}`)).find((path) => path !== undefined);
    const main = existing('libmpi.so.40');
    // a component of its own in 4.x, a part of the main library in 5.x
    const isPart = main !== undefined && loader.contains(main, 'mtl_ofi');
    const component = existing('openmpi/mca_mtl_ofi.so') ?? (isPart ? main : undefined);
    return {
      folder,
      component,
      hasOfi: main === undefined && component === undefined ? undefined : component !== undefined,
    };
  });
}

/** libibverbs, its provider for EFA, and what they agree on. */
export interface RdmaCore {
  readonly verbs: readonly Candidate[];
  readonly efa: readonly Candidate[];
  /** rdma-core's release, by the file's name. */
  readonly version: string | undefined;
  /** NN of IBVERBS_PRIVATE_NN that libibverbs has. */
  readonly privateVersion: string | undefined;
  readonly driverFile: string | undefined;
  /** libefa-rdmavNN.so beside libibverbs. */
  readonly providers: readonly string[];
}

export function readRdmaCore(host: Host, loader: Loader): RdmaCore {
  const verbs = loader.find('libibverbs.so.1');
  const efa = loader.find('libefa.so.1');
  const [first] = verbs;
  const folder = first?.real.replace(/[^/]*$/, 'libibverbs');
  const defines = first === undefined ? [] : (loader.elf(first.real)?.defines ?? []);
  return {
    verbs,
    efa,
    version: /\.so\.1\.\d+\.(\d+)\./.exec(efa[0]?.real ?? first?.real ?? '')?.[1],
    privateVersion: defines
      .map((name) => /^IBVERBS_PRIVATE_(\d+)$/.exec(name)?.[1])
      .find((found) => found !== undefined),
    driverFile: host.files.text('/etc/libibverbs.d/efa.driver'),
    providers:
      folder === undefined ? [] : host.files.list(folder, /^libefa-rdmav\d+\.so$/).map((name) => `${folder}/${name}`),
  };
}

/** NN of libefa-rdmavNN.so. */
export const providerVersion = (path: string): string | undefined => /rdmav(\d+)\.so$/.exec(basename(path))?.[1];

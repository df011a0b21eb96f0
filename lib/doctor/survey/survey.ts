/** Everything that is read of a machine, each part once and only when somebody asks. */
import type { Host } from '../host.js';
import { readConfiguration, type Configuration } from './configuration.js';
import { readDevices, type Devices } from './devices.js';
import { readIdentity, type Identity } from './identity.js';
import { readInstaller, type Installer } from './installer.js';
import {
  findLibfabric,
  findOpenMpi,
  findPlugins,
  readRdmaCore,
  type LibfabricFile,
  type OpenMpi,
  type PluginFile,
  type RdmaCore,
} from './libraries.js';
import { Loader } from './loader.js';
import { readLimits, type Limits } from './limits.js';
import { readMounts, type Mounts } from './mounts.js';
import { readModules, type Modules } from './modules.js';

const UTILITIES = ['/opt/amazon/efa/bin/fi_info', '/usr/bin/fi_info', '/usr/bin/ibv_devinfo'];

/** Whose transport matters. */
export type Consumer = 'libfabric' | 'nccl' | 'mpi';

/** What an examination shall be about. */
export interface ExamineOptions {
  /** Only this consumer; all that are found otherwise. */
  readonly consumer?: Consumer | undefined;
  /** The instance type that it should be. */
  readonly expectType?: string | undefined;
  /** How many EFA devices there should be. */
  readonly expectDevices?: number | undefined;
  /** What a program, NCCL or Open MPI wrote. */
  readonly log?: { readonly name: string; readonly text: string } | undefined;
}

/** What a machine has, read lazily: checks take their evidence from here. */
export class Survey {
  readonly host: Host;
  readonly options: ExamineOptions;
  readonly #parts = new Map<string, unknown>();

  constructor(host: Host, options: ExamineOptions = {}) {
    this.host = host;
    this.options = options;
  }

  /** Variables, with what libfabric reads in its configuration file instead. */
  get environment(): Readonly<Record<string, string>> {
    return this.configuration.values;
  }

  get configuration(): Configuration {
    return this.#once('configuration', () => readConfiguration(this.host, this.loader, this.selected));
  }

  get identity(): Identity {
    return this.#once('identity', () => readIdentity(this.host, this.options.expectType));
  }

  get devices(): Devices {
    return this.#once('devices', () => readDevices(this.host));
  }

  get modules(): Modules {
    return this.#once('modules', () => readModules(this.host));
  }

  get installer(): Installer | undefined {
    return this.#once('installer', () => readInstaller(this.host));
  }

  get loader(): Loader {
    return this.#once('loader', () => new Loader(this.host));
  }

  get libfabric(): { onPath: LibfabricFile[]; hidden: LibfabricFile[] } {
    return this.#once('libfabric', () => findLibfabric(this.host, this.loader));
  }

  /** The one that programs get. */
  get selected(): LibfabricFile | undefined {
    return this.libfabric.onPath[0];
  }

  /** Programs by which people look at EFA. */
  get utilities(): string[] {
    return this.#once('utilities', () => UTILITIES.filter((path) => this.host.files.exists(path)));
  }

  get rdmaCore(): RdmaCore {
    return this.#once('rdma-core', () => readRdmaCore(this.host, this.loader));
  }

  get plugins(): PluginFile[] {
    return this.#once('plugins', () => findPlugins(this.host, this.loader));
  }

  get limits(): Limits {
    return this.#once('limits', () => readLimits(this.host));
  }

  get mounts(): Mounts {
    return this.#once('mounts', () => readMounts(this.host));
  }

  /** Folders of Open MPI that the EFA installer made. */
  get openmpi(): OpenMpi[] {
    return this.#once('openmpi', () => findOpenMpi(this.host, this.loader));
  }

  /** Whether NCCL is of interest here. */
  get hasNccl(): boolean {
    const { consumer } = this.options;
    if (consumer !== undefined) return consumer === 'nccl';
    return this.plugins.length > 0 || (this.devices.gpus.length > 0 && this.installer?.isMinimal !== true);
  }

  get hasMpi(): boolean {
    const { consumer } = this.options;
    if (consumer !== undefined) return consumer === 'mpi';
    return this.openmpi.length > 0;
  }

  /** libfabric was asked, and it has efa: that proves more than files. */
  get opensEfa(): boolean {
    return (this.host.live?.efa?.domains.length ?? 0) > 0;
  }

  /** open(2) of each node of the RDMA devices. */
  openNode(uverbs: string): string | undefined {
    return this.#once(`open ${uverbs}`, () => this.host.openDevice(`/dev/infiniband/${uverbs}`));
  }

  #once<T>(name: string, make: () => T): T {
    if (!this.#parts.has(name)) this.#parts.set(name, make());
    return this.#parts.get(name) as T;
  }
}

/** struct fid_domain. */
import { binding } from './binding.js';
import {
  ATOMIC_DATATYPES,
  ATOMIC_OPERATIONS,
  ATOMIC_QUERY_FLAGS,
  checkName,
  type AtomicDatatype,
  type AtomicKind,
  type AtomicOperation,
} from './atomic-constants.js';
import { ERRORS } from './constants.js';
import { check, show } from './errors.js';
import { Fabric } from './fabric.js';
import { readInfo, type Info, type InfoLike, type ReadInfo } from './info.js';
import { allocate, type AllocateOptions } from './allocation.js';
import type { MemoryRegion } from './memory-region.js';
import { argumentHandle, handleOf, Resource } from './resource.js';

/** Options of a {@link Domain}. */
export interface DomainOptions {
  /**
   * How many buffers stay registered behind the scenes, where the provider wants every buffer registered (FI_MR_LOCAL):
   * beyond it the least recently used idle one is given up. 0 for any number.
   * @defaultValue 4096
   */
  readonly registrationLimit?: number;
}

/** What is registered behind the scenes; see {@link Domain.registrations}. */
export interface Registrations {
  /** Buffers that are registered now, each with its whole ArrayBuffer … */
  readonly count: number;
  /** … and their bytes. */
  readonly bytes: number;
  /** Operations that found their buffer registered. */
  readonly hits: number;
  /** Operations that had to register it. */
  readonly misses: number;
  /** Registrations that were given up for another. */
  readonly evictions: number;
  /** {@link DomainOptions.registrationLimit} */
  readonly limit: number;
}

const REGISTRATION_LIMIT = 4096;

/**
 * An interface of a fabric, with its resources: fi_domain(3). One JavaScript thread owns it; a worker opens its own.
 */
export class Domain extends Resource {
  readonly fabric: Fabric;
  readonly info: Info;
  /** @internal What it was opened with, for what is opened from it. */
  readonly opened: ReadInfo;

  /**
   * fi_domain(3).
   *
   * @param info - What to open, by default a copy of what the fabric was opened with: fi_dupinfo(3).
   * @throws FabricError when libfabric refuses.
   */
  constructor(fabric: Fabric, info?: InfoLike, options: DomainOptions = {}) {
    const { registrationLimit = REGISTRATION_LIMIT } = options;
    if (!Number.isSafeInteger(registrationLimit) || registrationLimit < 0) {
      throw new RangeError(`options.registrationLimit: expected a count, not ${show(registrationLimit)}`);
    }
    const fabricHandle = argumentHandle(fabric, Fabric, 'fabric');
    const opened = info === undefined ? fabric.opened : readInfo(info);
    const { wanted, raw } = opened;
    const doing = `cannot open domain ${wanted.domainAttr.name ?? ''} of provider ${wanted.fabricAttr.provName ?? ''}`;
    const handle = binding.domainOpen(fabricHandle, info === undefined ? undefined : raw);
    super(check<number>(handle, 'fi_domain', doing), binding.domainClose, [fabric]);
    this.fabric = fabric;
    this.info = wanted;
    this.opened = opened;
    binding.domainSetRegistrationLimit(handleOf(this), registrationLimit);
  }

  /**
   * Memory of its own, page-aligned and registered: the best there is for large or frequent transfers. It is unmapped when
   * neither JavaScript nor an operation uses it any more.
   *
   * @param byteLength - At least 1.
   * @throws FabricError `FI_ENOMEM` when there are no such pages, or what fi_mr_regattr(3) says.
   */
  allocate(byteLength: number, options: AllocateOptions = {}): MemoryRegion {
    return allocate(this, byteLength, options);
  }

  /** What is registered behind the scenes for providers with FI_MR_LOCAL, and how well that works. A copy. */
  get registrations(): Registrations {
    return check<Registrations>(binding.domainRegistrations(handleOf(this)), 'fi_mr_reg', 'cannot count registrations');
  }

  /**
   * Whether the domain has an atomic operation: fi_query_atomic(3).
   *
   * @returns how many elements one operation may have and how large one is in bytes; undefined when it has none.
   */
  queryAtomic(
    operation: AtomicOperation,
    datatype: AtomicDatatype,
    kind: AtomicKind = 'base',
  ): { readonly count: number; readonly size: number } | undefined {
    checkName(operation, ATOMIC_OPERATIONS, 'operation');
    checkName(datatype, ATOMIC_DATATYPES, 'datatype');
    checkName(kind, ATOMIC_QUERY_FLAGS, 'kind');
    const found = binding.domainQueryAtomic(
      handleOf(this),
      ATOMIC_DATATYPES[datatype],
      ATOMIC_OPERATIONS[operation],
      ATOMIC_QUERY_FLAGS[kind],
    );
    if (found === -ERRORS.FI_EOPNOTSUPP || found === -ERRORS.FI_EINVAL) return undefined;
    return check<{ count: number; size: number }>(found, 'fi_query_atomic', `cannot query ${operation}`);
  }

  /** @internal Regions that peers may access: they stay open until they are closed, whoever still holds them. */
  readonly exposed = new Set<Resource>();

  /** @internal Called when operations of the domain have ended. */
  readonly listeners = new Set<() => void>();

  /** @internal */
  get hasListeners(): boolean {
    return this.listeners.size > 0;
  }

  /** @internal */
  operationsEnded(): void {
    if (this.listeners.size === 0) return;
    for (const listener of [...this.listeners]) listener();
  }
}

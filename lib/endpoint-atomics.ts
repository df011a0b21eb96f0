/** fi_atomic(3): changing a peer's memory atomically. */
import {
  ATOMIC_DATATYPES,
  ATOMIC_OPERATIONS,
  ATOMIC_QUERY_FLAGS,
  checkName,
  datatypeOf,
  type AtomicArray,
  type AtomicDatatype,
  type AtomicKind,
  type AtomicOperation,
} from './atomic-constants.js';
import { ATOMIC_KINDS, binding, PROMISE_DOOR } from './binding.js';
import { ERRORS } from './constants.js';
import { type OperationKind } from './endpoint-base.js';
import { operationFlags } from './operation-options.js';
import { RmaEndpoint, type ReadOptions } from './endpoint-rma.js';
import { fabricError, show } from './errors.js';
import type { Completion } from './operation.js';
import type { RemoteRegion } from './remote-region.js';
import { handleOf } from './resource.js';
import { rawTrigger, signalOf } from './trigger.js';

/** Options of an atomic operation. */
export type AtomicOptions = ReadOptions;

interface CallKind extends OperationKind {
  readonly kind: AtomicKind;
}

const BASE: CallKind = { syscall: 'fi_atomic', receives: false, tagged: false, kind: 'base' };
const FETCH: CallKind = { ...BASE, syscall: 'fi_fetch_atomic', kind: 'fetch' };
const COMPARE: CallKind = { ...BASE, syscall: 'fi_compare_atomic', kind: 'compare' };
const INJECT: CallKind = { ...BASE, syscall: 'fi_inject_atomic' };
/** Elements in one array, or in several that are taken one after the other, up to `info.txAttr.iovLimit` of them. */
export type AtomicArrays = AtomicArray | readonly AtomicArray[];

type Post = typeof binding.endpointAtomic;

/**
 * An endpoint that changes memory of its peers atomically. Arrays are of one type, which says what the elements are, and
 * belong to libfabric until the promise is settled.
 */
export abstract class AtomicEndpoint extends RmaEndpoint {
  // ofi_rxd (1.17) is a segmentation fault away: atomic operations that fetch end in the middle of its progress.
  readonly #hasAtomics =
    this.info.caps.includes('FI_ATOMIC') && this.info.fabricAttr.provName?.includes('ofi_rxd') !== true;
  /** Most elements of one operation, by kind, datatype and operation. */
  readonly #limits = new Map<string, number>();

  /**
   * How many elements one atomic operation may have; 0 when the provider has no such operation: fi_atomicvalid(3),
   * fi_fetch_atomicvalid(3), fi_compare_atomicvalid(3).
   *
   * @param kind - `'base'`, or `'fetch'` or `'compare'` for {@link fetchAtomic} and {@link compareAtomic}.
   */
  queryAtomic(operation: AtomicOperation, datatype: AtomicDatatype, kind: AtomicKind = 'base'): number {
    checkName(operation, ATOMIC_OPERATIONS, 'operation');
    checkName(datatype, ATOMIC_DATATYPES, 'datatype');
    checkName(kind, ATOMIC_QUERY_FLAGS, 'kind');
    const handle = handleOf(this);
    if (!this.#hasAtomics) return 0;
    const name = `${kind} ${datatype} ${operation}`;
    let limit = this.#limits.get(name);
    if (limit === undefined) {
      const [type, number] = [ATOMIC_DATATYPES[datatype], ATOMIC_OPERATIONS[operation]];
      limit = Math.max(binding.endpointAtomicValid(handle, ATOMIC_KINDS[kind], type, number), 0);
      this.#limits.set(name, limit);
    }
    return limit;
  }

  /**
   * Changes elements of a peer's memory: fi_atomic(3), fi_atomicv(3), fi_atomicmsg(3).
   *
   * @param operation - `FI_SUM`, `FI_MIN`, `FI_BOR`, `FI_ATOMIC_WRITE` …
   * @param operands - One for each element.
   * @throws FabricError `FI_EOPNOTSUPP` for an operation that the provider does not have, RangeError for more elements than
   * it takes at once or beyond the remote region.
   */
  atomic(
    operation: AtomicOperation,
    operands: AtomicArrays,
    address: number,
    remote: RemoteRegion,
    options?: AtomicOptions,
  ): Promise<Completion> {
    return this.#begin(BASE, operation, [operands], ['operands'], address, remote, options);
  }

  /**
   * {@link atomic} that also returns what was there before: fi_fetch_atomic(3),
   * fi_fetch_atomicv(3), fi_fetch_atomicmsg(3).
   *
   * @param operands - As for {@link atomic}; undefined for `FI_ATOMIC_READ`, which has none.
   * @param results - Filled with the former elements.
   */
  fetchAtomic(
    operation: AtomicOperation,
    operands: AtomicArrays | undefined,
    results: AtomicArrays,
    address: number,
    remote: RemoteRegion,
    options?: AtomicOptions,
  ): Promise<Completion> {
    const isRead = operation === 'FI_ATOMIC_READ' && operands === undefined;
    const arrays = [isRead ? results : operands!, results];
    return this.#begin(FETCH, operation, arrays, ['operands', 'results'], address, remote, options);
  }

  /**
   * Changes elements that compare as the operation wants, and returns what was there before: fi_compare_atomic(3),
   * fi_compare_atomicv(3), fi_compare_atomicmsg(3).
   *
   * @param operation - `FI_CSWAP` …, `FI_MSWAP`.
   * @param comparands - One for each element.
   */
  compareAtomic(
    operation: AtomicOperation,
    operands: AtomicArrays,
    comparands: AtomicArrays,
    results: AtomicArrays,
    address: number,
    remote: RemoteRegion,
    options?: AtomicOptions,
  ): Promise<Completion> {
    const names = ['operands', 'results', 'comparands'];
    return this.#begin(COMPARE, operation, [operands, results, comparands], names, address, remote, options);
  }

  /**
   * {@link atomic} for up to `info.txAttr.injectSize` bytes, without waiting for a completion: fi_inject_atomic(3). Resolves
   * when the provider has taken a copy. What goes wrong later is not reported.
   */
  injectAtomic(
    operation: AtomicOperation,
    operands: AtomicArray,
    address: number,
    remote: RemoteRegion,
    options?: Pick<AtomicOptions, 'remoteOffset'>,
  ): Promise<void> {
    const post = this.#prepare(
      INJECT,
      binding.endpointInjectAtomic,
      operation,
      [operands],
      ['operands'],
      address,
      remote,
      options,
    );
    const { injectSize } = this.info.txAttr;
    if (operands.byteLength > injectSize) {
      throw new RangeError(`operands: ${operands.byteLength} bytes are more than txAttr.injectSize of ${injectSize}`);
    }
    return this.begin(INJECT, operands, post, undefined, true).then(() => undefined);
  }

  #begin(
    call: CallKind,
    operation: AtomicOperation,
    arrays: readonly AtomicArrays[],
    names: readonly string[],
    address: number,
    remote: RemoteRegion,
    options: AtomicOptions | undefined,
  ): Promise<Completion> {
    const post = this.#prepare(call, binding.endpointAtomic, operation, arrays, names, address, remote, options);
    return this.begin(call, arrays.flat(), post, signalOf(options ?? {}));
  }

  /** Checks everything. @returns what posts it. */
  #prepare(
    call: CallKind,
    native: Post,
    operation: AtomicOperation,
    arrays: readonly AtomicArrays[],
    names: readonly string[],
    address: number,
    remote: RemoteRegion,
    options: AtomicOptions | undefined,
  ): () => number {
    const handle = handleOf(this);
    const lists = arrays.map((given, index) => elementsOf(given, names[index]!));
    const { datatype, size, length } = lists[0]!;
    for (const [index, list] of lists.entries()) {
      if (list.datatype === datatype && list.length === length) continue;
      throw new TypeError(`${names[index]!}: expected ${length} elements of ${datatype}, as ${names[0]!} has`);
    }
    this.destination(address);
    const limit = this.queryAtomic(operation, datatype, call.kind);
    const remoteOffset = options?.remoteOffset ?? 0;
    const remoteAddress = this.locateRemote(remote, remoteOffset, length * size, this.#hasAtomics);
    if (remoteOffset % size !== 0) {
      throw new RangeError(`options.remoteOffset: ${remoteOffset} is no multiple of the element's size`);
    }
    this.#checkLimit(call, operation, datatype, length, limit);
    const most = Math.max(this.info.txAttr.iovLimit, 1);
    const segments = arrays.map((given, index) => this.segments(given, names[index]!, most, Infinity));
    const flags = operationFlags(options);
    const [type, number] = [ATOMIC_DATATYPES[datatype], ATOMIC_OPERATIONS[operation]];
    const kind = ATOMIC_KINDS[call.kind];
    const when = rawTrigger(options?.trigger, this);
    return () =>
      native(
        handle,
        kind,
        PROMISE_DOOR,
        segments,
        type,
        number,
        address,
        remoteAddress,
        remote.keyArgument,
        flags,
        ...when,
      );
  }

  #checkLimit(
    { kind, syscall }: CallKind,
    operation: AtomicOperation,
    datatype: AtomicDatatype,
    length: number,
    limit: number,
  ): void {
    if (limit === 0) {
      throw fabricError(`cannot do ${operation} on ${datatype}`, {
        errno: ERRORS.FI_EOPNOTSUPP,
        syscall,
        hint: `The provider has no such operation; queryAtomic('${operation}', '${datatype}', '${kind}') tells beforehand.`,
      });
    }
    if (length === 0 || length > limit) {
      throw new RangeError(`operands: expected 1 to ${limit} elements (queryAtomic), not ${show(length)}`);
    }
  }
}

/** What one or several arrays have together. @throws TypeError for arrays of different types, RangeError for empty ones. */
function elementsOf(given: AtomicArrays, name: string): { datatype: AtomicDatatype; size: number; length: number } {
  if (!Array.isArray(given)) {
    const array = given as AtomicArray;
    return { datatype: datatypeOf(array, name), size: array.BYTES_PER_ELEMENT, length: array.length };
  }
  const list = given as readonly AtomicArray[];
  if (list.length === 0) throw new RangeError(`${name}: expected an array of elements, or several, not none`);
  const parts = list.map((array, index) => elementsOf(array, `${name}[${index}]`));
  const { datatype, size } = parts[0]!;
  for (const [index, part] of parts.entries()) {
    if (part.datatype !== datatype) throw new TypeError(`${name}[${index}]: expected ${datatype}, as ${name}[0] has`);
    if (part.length === 0) throw new RangeError(`${name}[${index}]: expected at least one element`);
  }
  return { datatype, size, length: parts.reduce((sum, { length }) => sum + length, 0) };
}

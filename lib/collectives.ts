/** Which collectives a provider has: fi_query_collective(3). */
import { binding } from './binding.js';
import { ATOMIC_DATATYPES, datatypeOf, type AtomicArray } from './atomic-constants.js';
import { ERRORS, type EnumTable } from './constants.js';
import { Domain } from './domain.js';
import { check, show } from './errors.js';
import { argumentHandle } from './resource.js';

/** enum fi_collective_op. */
export const COLLECTIVES = {
  FI_BARRIER: 0,
  FI_BROADCAST: 1,
  FI_ALLTOALL: 2,
  FI_ALLREDUCE: 3,
  FI_ALLGATHER: 4,
  FI_REDUCE_SCATTER: 5,
  FI_REDUCE: 6,
  FI_SCATTER: 7,
  FI_GATHER: 8,
} as const satisfies EnumTable;

/** The operations of enum fi_op that reduce. */
export const REDUCTIONS = {
  FI_MIN: 0,
  FI_MAX: 1,
  FI_SUM: 2,
  FI_PROD: 3,
  FI_LOR: 4,
  FI_LAND: 5,
  FI_BOR: 6,
  FI_BAND: 7,
  FI_LXOR: 8,
  FI_BXOR: 9,
} as const satisfies EnumTable;

/** For collectives that only move elements, and so ask for no type. */
const UNSPECIFIC = 'FI_UINT8';

/** A collective operation: fi_collective(3). */
export type Collective = keyof typeof COLLECTIVES;
/** How elements are combined: fi_atomic(3) says what each does. */
export type Reduction = keyof typeof REDUCTIONS;
/** What a provider says of a collective that it has. */
export interface CollectiveLimits {
  /** The largest group. */
  readonly maxMembers: number;
  /** @internal */
  readonly datatype: number;
}

/**
 * What the provider of a domain says of a collective: fi_query_collective(3).
 *
 * @param array - Any array of the element type; bytes by default.
 * @param operation - The reduction, for those that reduce. @defaultValue `'FI_MIN'`
 * @returns undefined when it has no such collective.
 */
export function queryCollective(
  domain: Domain,
  collective: Collective,
  array?: AtomicArray,
  operation?: Reduction,
): CollectiveLimits | undefined {
  const handle = argumentHandle(domain, Domain, 'domain');
  if (!Object.hasOwn(COLLECTIVES, collective)) {
    throw new TypeError(`collective: ${show(collective)} is none of ${Object.keys(COLLECTIVES).join(', ')}`);
  }
  if (operation !== undefined && !Object.hasOwn(REDUCTIONS, operation)) {
    throw new TypeError(`operation: ${show(operation)} is none of ${Object.keys(REDUCTIONS).join(', ')}`);
  }
  const datatype = ATOMIC_DATATYPES[array === undefined ? UNSPECIFIC : datatypeOf(array, 'array')];
  const found = binding.collectiveQuery(handle, COLLECTIVES[collective], datatype, REDUCTIONS[operation ?? 'FI_MIN']);
  if (found === -ERRORS.FI_ENOSYS || found === -ERRORS.FI_EOPNOTSUPP) return undefined;
  return { maxMembers: check<number>(found, 'fi_query_collective', `cannot ask for ${collective}`), datatype };
}

/** An array of the same type as another, filled with zeros. */
export function sameKind(array: AtomicArray, length: number): AtomicArray {
  if (array instanceof Uint8Array) return new Uint8Array(length);
  return new (array.constructor as new (length: number) => AtomicArray)(length);
}

/** How many elements an array has. @throws TypeError for what is none, RangeError for an empty one. */
export function elementsOf(array: AtomicArray, name: string): number {
  datatypeOf(array, name);
  if (array.length === 0) throw new RangeError(`${name}: expected at least one element`);
  return array.length;
}

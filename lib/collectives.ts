/** Which collectives a provider has: fi_query_collective(3). */
import { binding } from './binding.js';
import { ERRORS } from './constants.js';
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
} as const;

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
} as const;

/** enum fi_datatype of the typed arrays that have one. */
const DATATYPES = new Map<unknown, number>([
  [Int8Array, 0],
  [Uint8Array, 1],
  [Int16Array, 2],
  [Uint16Array, 3],
  [Int32Array, 4],
  [Uint32Array, 5],
  [BigInt64Array, 6],
  [BigUint64Array, 7],
  [Float32Array, 8],
  [Float64Array, 9],
  [Buffer, 1],
]);
const UNSPECIFIC = 1;

/** A collective operation: fi_collective(3). */
export type Collective = keyof typeof COLLECTIVES;
/** How elements are combined: fi_atomic(3) says what each does. */
export type Reduction = keyof typeof REDUCTIONS;
/** Arrays whose elements libfabric has a type for. */
export type CollectiveArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

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
  array?: CollectiveArray,
  operation?: Reduction,
): CollectiveLimits | undefined {
  const handle = argumentHandle(domain, Domain, 'domain');
  if (!Object.hasOwn(COLLECTIVES, collective)) {
    throw new TypeError(`collective: ${show(collective)} is none of ${Object.keys(COLLECTIVES).join(', ')}`);
  }
  if (operation !== undefined && !Object.hasOwn(REDUCTIONS, operation)) {
    throw new TypeError(`operation: ${show(operation)} is none of ${Object.keys(REDUCTIONS).join(', ')}`);
  }
  const datatype = array === undefined ? UNSPECIFIC : datatypeOf(array, 'array');
  const found = binding.collectiveQuery(handle, COLLECTIVES[collective], datatype, REDUCTIONS[operation ?? 'FI_MIN']);
  if (found === -ERRORS.FI_ENOSYS || found === -ERRORS.FI_EOPNOTSUPP) return undefined;
  return { maxMembers: check<number>(found, 'fi_query_collective', `cannot ask for ${collective}`), datatype };
}

/** An array of the same type as another, filled with zeros. */
export function sameKind(array: CollectiveArray, length: number): CollectiveArray {
  if (array instanceof Uint8Array) return new Uint8Array(length);
  return new (array.constructor as new (length: number) => CollectiveArray)(length);
}

/** How many elements an array has. @throws TypeError for what is none, RangeError for an empty one. */
export function elementsOf(array: CollectiveArray, name: string): number {
  datatypeOf(array, name);
  if (array.length === 0) throw new RangeError(`${name}: expected at least one element`);
  return array.length;
}

/** The number of enum fi_datatype. @throws TypeError for an array without one. */
export function datatypeOf(array: CollectiveArray, name: string): number {
  const datatype = ArrayBuffer.isView(array) ? DATATYPES.get(array.constructor) : undefined;
  if (datatype !== undefined) return datatype;
  const names = [...DATATYPES.keys()].map((type) => (type as { name: string }).name).join(', ');
  throw new TypeError(`${name}: expected one of ${names}, not ${show(array)}`);
}

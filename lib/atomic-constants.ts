/** What atomic operations are named and numbered: enum fi_op and enum fi_datatype of fi_atomic(3). */
import type { EnumTable, FlagTable } from './constants.js';
import { show } from './errors.js';

/** `enum fi_op`. */
export const ATOMIC_OPERATIONS = {
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
  FI_ATOMIC_READ: 10,
  FI_ATOMIC_WRITE: 11,
  FI_CSWAP: 12,
  FI_CSWAP_NE: 13,
  FI_CSWAP_LE: 14,
  FI_CSWAP_LT: 15,
  FI_CSWAP_GE: 16,
  FI_CSWAP_GT: 17,
  FI_MSWAP: 18,
} as const satisfies EnumTable;

/** `enum fi_datatype`, as far as typed arrays have them. */
export const ATOMIC_DATATYPES = {
  FI_INT8: 0,
  FI_UINT8: 1,
  FI_INT16: 2,
  FI_UINT16: 3,
  FI_INT32: 4,
  FI_UINT32: 5,
  FI_INT64: 6,
  FI_UINT64: 7,
  FI_FLOAT: 8,
  FI_DOUBLE: 9,
} as const satisfies EnumTable;

/** Which calls there are: without result, with the former value as a result, with a comparand as well. */
export const ATOMIC_QUERY_FLAGS = {
  base: 0n,
  fetch: 1n << 58n,
  compare: 1n << 59n,
} as const satisfies FlagTable;

/** What an atomic operation does to the target. */
export type AtomicOperation = keyof typeof ATOMIC_OPERATIONS;
/** What it does it to. */
export type AtomicDatatype = keyof typeof ATOMIC_DATATYPES;
/** Which family of calls: fi_atomic(3), fi_fetch_atomic(3) or fi_compare_atomic(3). */
export type AtomicKind = keyof typeof ATOMIC_QUERY_FLAGS;

/** The typed arrays whose elements have an atomic datatype. */
export type AtomicArray =
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

const DATATYPES_OF_ARRAYS: Readonly<Record<string, AtomicDatatype>> = {
  Int8Array: 'FI_INT8',
  Uint8Array: 'FI_UINT8',
  Int16Array: 'FI_INT16',
  Uint16Array: 'FI_UINT16',
  Int32Array: 'FI_INT32',
  Uint32Array: 'FI_UINT32',
  BigInt64Array: 'FI_INT64',
  BigUint64Array: 'FI_UINT64',
  Float32Array: 'FI_FLOAT',
  Float64Array: 'FI_DOUBLE',
};

/** The datatype of an array's elements. @throws TypeError for what has none. */
export function datatypeOf(array: AtomicArray, name: string): AtomicDatatype {
  const tag = ArrayBuffer.isView(array) ? array[Symbol.toStringTag] : '';
  const datatype = DATATYPES_OF_ARRAYS[tag];
  if (datatype !== undefined) return datatype;
  throw new TypeError(`${name}: expected one of ${Object.keys(DATATYPES_OF_ARRAYS).join(', ')}, not ${show(array)}`);
}

/** @throws TypeError when `value` is no name in `table`. */
export function checkName(value: string, table: EnumTable | FlagTable, name: string): void {
  if (typeof value === 'string' && Object.hasOwn(table, value)) return;
  throw new TypeError(`${name}: ${show(value)} is none of ${Object.keys(table).join(', ')}`);
}

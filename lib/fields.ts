/** How one field of an fi_info is shown to people and programs, and read back. */
import type { EnumTable, FlagTable } from './constants.js';
import { show } from './errors.js';

/** Bits without a name are kept as `'0x…'`, so that nothing is lost on the way through. */
export type UnnamedBits = `0x${string}`;

/** Flags as they are shown: names of the bits that are set. */
export type Flags<T extends FlagTable> = readonly ((keyof T & string) | UnnamedBits)[];

/** Flags as they are accepted: names, one name, or the raw value. */
export type FlagsInput<T extends FlagTable> = Flags<T> | (keyof T & string) | UnnamedBits | bigint | number;

/** A value of an enumeration: its name, or the number of one without a name. */
export type Enumerated<T extends EnumTable> = (keyof T & string) | number;

/** One field: how it is shown (`Shown`), and what is accepted for it (`Input`). */
export interface Field<Shown, Input> {
  decode(raw: bigint | number | string | Uint8Array | undefined): Shown;
  /** @throws TypeError or RangeError that names `path`, the value and what is allowed. */
  encode(value: Input, path: string): bigint | number | string | Uint8Array;
}

const UINT64_MAX = 2n ** 64n - 1n;

function bitsOf(names: readonly string[], table: FlagTable, path: string): bigint {
  let bits = 0n;
  for (const name of names) {
    const bit = typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined;
    if (bit !== undefined) {
      bits |= bit;
    } else if (typeof name === 'string' && /^0x[0-9a-f]{1,16}$/i.test(name)) {
      bits |= BigInt(name);
    } else {
      throw new TypeError(`${path}: ${show(name)} is none of ${Object.keys(table).join(', ')}`);
    }
  }
  return bits;
}

/** The bits that `value` stands for. */
export function encodeFlags<T extends FlagTable>(value: FlagsInput<T>, table: T, path: string): bigint {
  if (typeof value === 'bigint' || typeof value === 'number') return uint64(value, path);
  if (typeof value === 'string') return bitsOf([value], table, path);
  if (Array.isArray(value)) return bitsOf(value as string[], table, path);
  throw new TypeError(`${path}: expected names of flags or a bigint, not ${show(value)}`);
}

function uint64(value: bigint | number, path: string): bigint {
  const fits = typeof value === 'bigint' ? value >= 0n && value <= UINT64_MAX : Number.isInteger(value) && value >= 0;
  if (!fits) throw new RangeError(`${path}: ${show(value)} is not an unsigned 64-bit integer`);
  const big = BigInt(value);
  // SIZE_MAX comes back from a number as 2^64
  return big > UINT64_MAX ? UINT64_MAX : big;
}

/** A field of flags. */
export function flags<T extends FlagTable>(table: T): Field<Flags<T>, FlagsInput<T>> {
  return {
    decode(raw) {
      let left = BigInt(raw as bigint | number);
      const names: string[] = [];
      for (const [name, bit] of Object.entries(table)) {
        if ((left & bit) === 0n) continue;
        names.push(name);
        left &= ~bit;
      }
      if (left !== 0n) names.push(`0x${left.toString(16)}`);
      return names;
    },
    encode: (value, path) => encodeFlags(value, table, path),
  };
}

/** A field with a value of an enumeration. */
export function enumeration<T extends EnumTable>(table: T): Field<Enumerated<T>, Enumerated<T>> {
  const names = new Map(Object.entries(table).map(([name, value]) => [value, name]));
  return {
    decode: (raw) => names.get(raw as number) ?? (raw as number),
    encode(value, path) {
      if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
      const found = typeof value === 'string' && Object.hasOwn(table, value) ? table[value] : undefined;
      if (found === undefined)
        throw new TypeError(`${path}: ${show(value)} is none of ${Object.keys(table).join(', ')}`);
      return found;
    },
  };
}

/**
 * The number nearest to a 64-bit value, but not above it: given back, a limit must not be larger than it was. SIZE_MAX (no
 * limit) becomes 2^64, and SIZE_MAX again on the way back.
 */
function roundDown(value: bigint): number {
  const nearest = Number(value);
  if (value === UINT64_MAX || BigInt(nearest) <= value) return nearest;
  const bits = new BigUint64Array(new Float64Array([nearest]).buffer);
  bits[0]! -= 1n;
  return new Float64Array(bits.buffer)[0]!;
}

/** A size or count. Numbers above 2^53 are shown rounded down; `raw` has them exactly. */
export const size: Field<number, number | bigint> = {
  decode: (raw) => roundDown(BigInt(raw as bigint | number)),
  encode(value, path) {
    if (typeof value !== 'number' && typeof value !== 'bigint') {
      throw new TypeError(`${path}: expected a number, not ${show(value)}`);
    }
    return uint64(value, path);
  },
};

/** A 64-bit pattern, shown in hexadecimal. */
export const pattern: Field<UnnamedBits, UnnamedBits | bigint> = {
  decode: (raw) => `0x${(raw as bigint).toString(16)}`,
  encode(value, path) {
    if (typeof value === 'bigint') return uint64(value, path);
    if (typeof value === 'string' && /^0x[0-9a-f]{1,16}$/i.test(value)) return BigInt(value);
    throw new TypeError(`${path}: expected a bigint or '0x…', not ${show(value)}`);
  },
};

/** A version packed as FI_VERSION does: `'1.17'`. */
export const version: Field<string, string> = {
  decode: (raw) => `${(raw as number) >>> 16}.${(raw as number) & 0xffff}`,
  encode(value, path) {
    const parts = typeof value === 'string' ? /^(\d{1,5})\.(\d{1,5})$/.exec(value) : null;
    if (parts === null) throw new TypeError(`${path}: expected a version such as '1.17', not ${show(value)}`);
    const [major, minor] = [Number(parts[1]), Number(parts[2])];
    if (major <= 0xffff && minor <= 0xffff) return major * 0x10000 + minor;
    throw new RangeError(`${path}: each part of a version is below 65536, not ${show(value)}`);
  },
};

/** A string; absent when libfabric has NULL. */
export const text: Field<string | undefined, string | undefined> = {
  decode: (raw) => raw as string | undefined,
  encode(value, path) {
    if (typeof value === 'string' && !value.includes('\0')) return value;
    throw new TypeError(`${path}: expected a string without NUL, not ${show(value)}`);
  },
};

/** What a Buffer is in JSON. */
export interface StoredBytes {
  readonly type: 'Buffer';
  readonly data: readonly number[];
}

/** Bytes such as an address; absent when there are none. */
export const bytes: Field<Buffer | undefined, Uint8Array | StoredBytes | undefined> = {
  decode: (raw) => raw as Buffer | undefined,
  encode(value, path) {
    if (value instanceof Uint8Array) return value;
    if (value?.type === 'Buffer' && Array.isArray(value.data)) return Buffer.from(value.data);
    throw new TypeError(`${path}: expected a Uint8Array, not ${show(value)}`);
  },
};

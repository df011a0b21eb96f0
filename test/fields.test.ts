import { describe, expect, it } from 'vitest';
import { CAPABILITIES, ENDPOINT_TYPES, MR_MODES } from 'node-libfabric';
import { bytes, encodeFlags, enumeration, flags, pattern, size, text, version } from '../lib/fields.js';

const UINT64_MAX = 2n ** 64n - 1n;

describe('a field of flags', () => {
  const field = flags(CAPABILITIES);

  it('is shown as the names of its bits', () => {
    expect(field.decode((1n << 1n) | (1n << 3n))).toEqual(['FI_MSG', 'FI_TAGGED']);
    expect(field.decode(0n)).toEqual([]);
  });

  it('takes a number where libfabric has 32 bits', () => {
    expect(flags(MR_MODES).decode(5)).toEqual(['FI_MR_BASIC', 'FI_MR_LOCAL']);
  });

  it.each([0n, 1n, 1n << 63n, 0b1010n, UINT64_MAX, 0x8000_0000_0000_0003n])('brings 0x%x back', (bits) => {
    expect(field.encode(field.decode(bits), 'caps')).toBe(bits);
  });

  it('keeps the bits that have no name', () => {
    expect(field.decode((1n << 1n) | (1n << 63n) | 1n)).toEqual(['FI_MSG', '0x8000000000000001']);
  });

  it('accepts names, one name, hexadecimal bits, a bigint or a number', () => {
    for (const value of [['FI_MSG'], 'FI_MSG', ['0x2'], '0x2', 2n, 2] as const) {
      expect(encodeFlags(value, CAPABILITIES, 'caps')).toBe(2n);
    }
    expect(encodeFlags(['FI_MSG', 'FI_MSG', '0x1'], CAPABILITIES, 'caps')).toBe(3n);
  });

  it.each([
    [['FI_MGS'], /^hints\.caps: 'FI_MGS' is none of FI_MSG, FI_RMA, /],
    ['FI_MGS', /^hints\.caps: 'FI_MGS' is none of FI_MSG, /],
    [[2], /^hints\.caps: 2 is none of FI_MSG, /],
    [['0xg'], /^hints\.caps: '0xg' is none of FI_MSG, /],
    [['0x10000000000000000'], /^hints\.caps: '0x10000000000000000' is none of FI_MSG, /],
    [['toString'], /^hints\.caps: 'toString' is none of FI_MSG, /],
    [{}, /^hints\.caps: expected names of flags or a bigint, not an object/],
    [null, /^hints\.caps: expected names of flags or a bigint, not null$/],
    [true, /^hints\.caps: expected names of flags or a bigint, not true$/],
  ])('refuses %o, naming the path, the value and what is allowed', (value, message) => {
    const encode = (): unknown => field.encode(value as never, 'hints.caps');
    expect(encode).toThrow(TypeError);
    expect(encode).toThrow(message);
  });

  it.each([-1n, UINT64_MAX + 1n, -1, 1.5, NaN, Infinity])('refuses %s, which has no 64 bits', (value) => {
    const encode = (): unknown => field.encode(value, 'hints.caps');
    expect(encode).toThrow(RangeError);
    expect(encode).toThrow(`hints.caps: ${typeof value === 'bigint' ? `${value}n` : value} is not an unsigned 64-bit`);
  });
});

describe('a field with an enumeration', () => {
  const field = enumeration(ENDPOINT_TYPES);

  it('is shown as its name, or as a number where it has none', () => {
    expect(field.decode(3)).toBe('FI_EP_RDM');
    expect(field.decode(99)).toBe(99);
  });

  it.each([0, 3, 99, 2 ** 32 - 1])('brings %i back', (value) => {
    expect(field.encode(field.decode(value), 'type')).toBe(value);
  });

  it.each(['FI_EP_RMD', 'toString', '', -1, 1.5, 2 ** 32, 3n, null, ['FI_EP_RDM']])('refuses %o', (value) => {
    const encode = (): unknown => field.encode(value as never, 'hints.epAttr.type');
    expect(encode).toThrow(TypeError);
    expect(encode).toThrow(/^hints\.epAttr\.type: .+ is none of FI_EP_UNSPEC, FI_EP_MSG, /);
  });
});

describe('a size', () => {
  it.each([0n, 1n, 4096n, BigInt(Number.MAX_SAFE_INTEGER), UINT64_MAX])('of %d comes back', (value) => {
    expect(size.encode(size.decode(value), 'maxMsgSize')).toBe(value);
  });

  it('is a number for 32-bit and 64-bit values alike', () => {
    expect([size.decode(7), size.decode(7n)]).toEqual([7, 7]);
  });

  it.each([-1, 1.5, NaN, -1n, 2n ** 64n])('refuses %s', (value) => {
    expect(() => size.encode(value, 'hints.txAttr.size')).toThrow(RangeError);
  });

  it.each(['7', null, {}])('refuses %o', (value) => {
    const encode = (): unknown => size.encode(value as never, 'hints.txAttr.size');
    expect(encode).toThrow(TypeError);
    expect(encode).toThrow(/^hints\.txAttr\.size: expected a number, not /);
  });
});

describe('a pattern', () => {
  it.each([0n, 0x5555_5555_5555_5555n, UINT64_MAX])('of 0x%x comes back', (value) => {
    expect(pattern.encode(pattern.decode(value), 'memTagFormat')).toBe(value);
  });

  it('is hexadecimal', () => {
    expect(pattern.decode(0xaan)).toBe('0xaa');
  });

  it.each(['aa', '0x', '0x1_0', '0x10000000000000000', 10, null])('refuses %o', (value) => {
    const encode = (): unknown => pattern.encode(value as never, 'hints.epAttr.memTagFormat');
    expect(encode).toThrow(TypeError);
    expect(encode).toThrow(/^hints\.epAttr\.memTagFormat: expected a bigint or '0x…', not /);
  });

  it('refuses what has more than 64 bits', () => {
    expect(() => pattern.encode(2n ** 64n, 'memTagFormat')).toThrow(RangeError);
  });
});

describe('a version', () => {
  it.each(['0.0', '1.17', '2.1', '117.0', '65535.65535'])('of %s comes back', (value) => {
    expect(version.decode(version.encode(value, 'provVersion'))).toBe(value);
  });

  it('is packed as FI_VERSION(1, 17)', () => {
    expect(version.encode('1.17', 'apiVersion')).toBe(65_553);
  });

  it.each(['1', '1.2.3', 'v1.2', '1.', '', '-1.2', 1.17, null])('refuses %o', (value) => {
    const encode = (): unknown => version.encode(value as never, 'hints.fabricAttr.apiVersion');
    expect(encode).toThrow(TypeError);
    expect(encode).toThrow(/^hints\.fabricAttr\.apiVersion: expected a version such as '1\.17', not /);
  });

  it.each(['65536.0', '0.65536', '99999.99999'])('refuses %s, whose parts do not fit', (value) => {
    const encode = (): unknown => version.encode(value, 'hints.fabricAttr.apiVersion');
    expect(encode).toThrow(RangeError);
    expect(encode).toThrow(/^hints\.fabricAttr\.apiVersion: /);
  });
});

describe('a text', () => {
  it.each(['', 'eth0', 'tcp;ofi_rxm', 'größer'])('of %o comes back', (value) => {
    expect(text.decode(text.encode(value, 'name') as string)).toBe(value);
  });

  it('is absent where libfabric has NULL', () => {
    expect(text.decode(undefined)).toBeUndefined();
  });

  it.each(['eth0\0', 7, null, ['eth0']])('refuses %o', (value) => {
    const encode = (): unknown => text.encode(value as never, 'hints.domainAttr.name');
    expect(encode).toThrow(TypeError);
    expect(encode).toThrow(/^hints\.domainAttr\.name: expected a string without NUL, not /);
  });
});

describe('bytes', () => {
  it('come back', () => {
    const address = Buffer.from([2, 0, 1, 2]);
    expect(bytes.decode(bytes.encode(address, 'srcAddr') as Uint8Array)).toEqual(address);
    expect(bytes.decode(undefined)).toBeUndefined();
  });

  it.each(['00', [1, 2], null, {}])('are not %j', (value) => {
    const encode = (): unknown => bytes.encode(value as never, 'hints.srcAddr');
    expect(encode).toThrow(TypeError);
    expect(encode).toThrow(/^hints\.srcAddr: expected a Uint8Array, not /);
  });

  it('are not an ArrayBuffer nor wider elements', () => {
    for (const value of [new ArrayBuffer(4), new Uint16Array(2), new DataView(new ArrayBuffer(4))]) {
      expect(() => bytes.encode(value as never, 'srcAddr')).toThrow(TypeError);
    }
  });
});

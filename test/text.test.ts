import { TEXT_TYPES, toText } from 'node-libfabric';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe('toText', () => {
  it('names flags and enumerations as libfabric does', () => {
    expect(toText('FI_TYPE_CAPS', (1n << 1n) | (1n << 3n))).toBe('FI_MSG, FI_TAGGED');
    expect(toText('FI_TYPE_EP_TYPE', 3)).toBe('FI_EP_RDM');
    expect(toText('FI_TYPE_ATOMIC_OP', 2)).toBe('FI_SUM');
    expect(toText('FI_TYPE_COLLECTIVE_OP', 3)).toBe('FI_ALLREDUCE');
  });

  it.each(Object.keys(TEXT_TYPES) as (keyof typeof TEXT_TYPES)[])('has words for any number of %s', (type) => {
    for (const value of [0n, 1n, 99n, 0xffff_ffffn, 2n ** 64n - 1n]) expect(typeof toText(type, value)).toBe('string');
  });

  it('numbers its types as the header does', () => {
    const header = readFileSync('/usr/include/rdma/fabric.h', 'utf8');
    const names = /enum fi_type \{([^}]*)\}/.exec(header)![1]!.match(/FI_TYPE_\w+/g)!;
    for (const [name, number] of Object.entries(TEXT_TYPES))
      expect([name, names.indexOf(name)]).toEqual([name, number]);
  });

  it('refuses other types and numbers', () => {
    expect(() => toText('FI_TYPE_INFO' as never, 0)).toThrow(/type: 'FI_TYPE_INFO' is none of FI_TYPE_EP_TYPE/);
    expect(() => toText('FI_TYPE_CAPS', -1n)).toThrow(RangeError);
    expect(() => toText('FI_TYPE_CAPS', 2n ** 64n)).toThrow(/unsigned 64-bit/);
    expect(() => toText('FI_TYPE_CAPS', 'x' as never)).toThrow(RangeError);
  });
});

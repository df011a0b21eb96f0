import {
  ATOMIC_DATATYPES,
  ATOMIC_OPERATIONS,
  Endpoint,
  MemoryRegion,
  type AtomicArray,
  type AtomicDatatype,
  type AtomicKind,
  type AtomicOperation,
} from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { infoWith, openMemoryPair, overProvidersWith, soon } from './helpers/memory-pair.js';

/** An array of each datatype, made of small numbers. */
const ARRAYS: Record<AtomicDatatype, (...values: number[]) => AtomicArray> = {
  FI_INT8: (...values) => Int8Array.from(values),
  FI_UINT8: (...values) => Uint8Array.from(values),
  FI_INT16: (...values) => Int16Array.from(values),
  FI_UINT16: (...values) => Uint16Array.from(values),
  FI_INT32: (...values) => Int32Array.from(values),
  FI_UINT32: (...values) => Uint32Array.from(values),
  FI_INT64: (...values) => BigInt64Array.from(values.map(BigInt)),
  FI_UINT64: (...values) => BigUint64Array.from(values.map(BigInt)),
  FI_FLOAT: (...values) => Float32Array.from(values),
  FI_DOUBLE: (...values) => Float64Array.from(values),
};
/** What each operation makes of a target of 12, with an operand of 10 and, where it compares, a comparand of 12. */
const EXPECTED: Record<AtomicOperation, number> = {
  FI_MIN: 10,
  FI_MAX: 12,
  FI_SUM: 22,
  FI_PROD: 120,
  FI_LOR: 1,
  FI_LAND: 1,
  FI_BOR: 14,
  FI_BAND: 8,
  FI_LXOR: 0,
  FI_BXOR: 6,
  FI_ATOMIC_READ: 12,
  FI_ATOMIC_WRITE: 10,
  FI_CSWAP: 10,
  FI_CSWAP_NE: 12,
  FI_CSWAP_LE: 10,
  FI_CSWAP_LT: 12,
  FI_CSWAP_GE: 10,
  FI_CSWAP_GT: 12,
  // (operand & comparand) | (target & ~comparand)
  FI_MSWAP: 8,
};
const numbersOf = (array: AtomicArray): number[] => Array.from(array as Iterable<number | bigint>, Number);

describe('Endpoint.atomic, fetchAtomic and compareAtomic', () => {
  overProvidersWith(['FI_RMA', 'FI_ATOMIC'], (info) => {
    const probe = Endpoint.open(info);
    const hasSome = probe.queryAtomic('FI_SUM', 'FI_UINT64') > 0;
    probe.close();
    if (!hasSome) {
      it.skip('FI_ATOMIC is among its capabilities, but it has no atomic operation, or none that is safe');
      return;
    }

    it.each(Object.keys(ATOMIC_DATATYPES) as AtomicDatatype[])(
      'do on %s every operation that the provider has',
      async (datatype) => {
        const { left, right, toRight } = openMemoryPair(info);
        const kinds: AtomicKind[] = ['base', 'fetch', 'compare'];
        const cases = kinds.flatMap((kind) =>
          (Object.keys(ATOMIC_OPERATIONS) as AtomicOperation[]).map((operation) => ({ kind, operation })),
        );
        const had = cases.filter(({ kind, operation }) => left.queryAtomic(operation, datatype, kind) > 1);
        for (const { kind, operation } of had) {
          const what = `${kind} ${operation}`;
          const target = ARRAYS[datatype](3, 12, 12, 3);
          const size = target.BYTES_PER_ELEMENT;
          const region = new MemoryRegion(right.domain, target);
          const remote = region.remote().slice(size, 2 * size);
          const operands = ARRAYS[datatype](10, 10);
          const results = ARRAYS[datatype](0, 0);
          if (kind === 'base') {
            await soon(left.atomic(operation, operands, toRight, remote), what);
          } else if (kind === 'fetch') {
            const given = operation === 'FI_ATOMIC_READ' ? undefined : operands;
            await soon(left.fetchAtomic(operation, given, results, toRight, remote), what);
          } else {
            await soon(
              left.compareAtomic(operation, operands, ARRAYS[datatype](12, 12), results, toRight, remote),
              what,
            );
          }
          // A fetch comes back after what went before it, whether or not a completion means delivery.
          const now = ARRAYS[datatype](0, 0);
          await soon(left.fetchAtomic('FI_ATOMIC_READ', undefined, now, toRight, remote), 'reading back');
          const expected = EXPECTED[operation];
          expect([what, ...numbersOf(now)]).toEqual([what, expected, expected]);
          if (kind !== 'base') expect([what, ...numbersOf(results)]).toEqual([what, 12, 12]);
          expect([numbersOf(target)[0], numbersOf(target)[3]]).toEqual([3, 3]);
          region.close();
        }
        expect(had.length).toBeGreaterThan(0);
      },
    );

    it('add to one counter from both ends, losing nothing', async () => {
      const { left, right, toRight } = openMemoryPair(info);
      const counter = new BigUint64Array(1);
      const remote = new MemoryRegion(right.domain, counter).remote();
      const self = right.addressVector.insert(right.address);
      const one = BigUint64Array.of(1n);
      // One at a time from each end: rxd 1.17 does not survive many fetching operations at once.
      const adds = [[left, toRight] as const, [right, self] as const].map(async ([endpoint, to]) => {
        for (let i = 0; i < 50; i++) await endpoint.fetchAtomic('FI_SUM', one, new BigUint64Array(1), to, remote);
      });
      await soon(Promise.all(adds), 'every addition');
      expect(counter[0]).toBe(100n);
    });

    it('take several arrays as one, split as it comes', async () => {
      const { left, right, toRight } = openMemoryPair(info);
      const target = Int32Array.of(1, 2, 3, 4, 5, 6);
      const remote = new MemoryRegion(right.domain, target).remote();
      const read = async (): Promise<number[]> => {
        const now = [new Int32Array(1), new Int32Array(5)];
        await soon(left.fetchAtomic('FI_ATOMIC_READ', undefined, now, toRight, remote), 'reading');
        return now.flatMap((part) => [...part]);
      };
      expect(await read()).toEqual([1, 2, 3, 4, 5, 6]);
      await soon(left.atomic('FI_SUM', [Int32Array.of(10, 20), Int32Array.of(30, 40)], toRight, remote), 'adding');
      expect(await read()).toEqual([11, 22, 33, 44, 5, 6]);
      const former = [new Int32Array(2), new Int32Array(1), new Int32Array(1)];
      const operands = [Int32Array.of(100), Int32Array.of(200, 300, 400)];
      await soon(left.fetchAtomic('FI_SUM', operands, former, toRight, remote, { remoteOffset: 8 }), 'fetching');
      expect(former.map((part) => [...part])).toEqual([[33, 44], [5], [6]]);
      expect(await read()).toEqual([11, 22, 133, 244, 305, 406]);
      const comparands = [Int32Array.of(11, 0), Int32Array.of(133)];
      const [first, second] = [new Int32Array(3), new Int32Array(1)];
      const swapped = first.subarray(1);
      const news = Int32Array.of(-1, -2, -3);
      await soon(left.compareAtomic('FI_CSWAP', news, comparands, [second, swapped], toRight, remote), 'comparing');
      expect([...second, ...first]).toEqual([11, 0, 22, 133]);
      expect(await read()).toEqual([-1, 22, -3, 244, 305, 406]);
    });

    it('refuse several arrays that do not go together', () => {
      const { left, right, toRight } = openMemoryPair(info);
      const remote = new MemoryRegion(right.domain, new Int32Array(100)).remote();
      const one = Int32Array.of(1);
      const atomic = (operands: unknown) => () => left.atomic('FI_SUM', operands as Int32Array, toRight, remote);
      expect(atomic([])).toThrow(/operands: expected/);
      expect(atomic([one, new Int32Array(0)])).toThrow(/operands\[1\]: expected at least one element/);
      expect(atomic([one, Uint32Array.of(1)])).toThrow(/operands\[1\]: expected FI_INT32/);
      expect(atomic([one, 1])).toThrow(/operands\[1\]: expected one of/);
      expect(atomic(Array.from({ length: left.info.txAttr.iovLimit + 1 }, () => one))).toThrow(/iovLimit/);
      expect(() => left.fetchAtomic('FI_SUM', [one, one], one, toRight, remote)).toThrow(
        /results: expected 2 elements/,
      );
    });

    it('inject an operation, and take flags', async () => {
      const { left, right, toRight } = openMemoryPair(info);
      const remote = new MemoryRegion(right.domain, Int32Array.of(0, 40)).remote();
      await soon(left.injectAtomic('FI_SUM', Int32Array.of(2), toRight, remote, { remoteOffset: 4 }), 'injecting');
      const results = new Int32Array(1);
      const options = { remoteOffset: 4, flags: ['FI_DELIVERY_COMPLETE'] } as const;
      await soon(left.fetchAtomic('FI_ATOMIC_READ', undefined, results, toRight, remote, options), 'reading');
      expect(results[0]).toBe(42);
    });

    it('refuse what cannot be, before anything is posted', () => {
      const { left, right, toRight } = openMemoryPair(info);
      const remote = new MemoryRegion(right.domain, new Float64Array(100)).remote();
      const operands = Float64Array.of(1, 2);
      const atomic =
        (...args: unknown[]) =>
        () =>
          (left.atomic as (...all: unknown[]) => unknown)(...args);
      expect(atomic('FI_NONSENSE', operands, toRight, remote)).toThrow(/FI_MIN, FI_MAX/);
      expect(atomic('FI_SUM', [1, 2], toRight, remote)).toThrow(/Float64Array/);
      expect(atomic('FI_SUM', new Uint8ClampedArray(1), toRight, remote)).toThrow(TypeError);
      expect(atomic('FI_SUM', new Float64Array(0), toRight, remote)).toThrow(RangeError);
      expect(atomic('FI_SUM', new Float64Array(101), toRight, remote)).toThrow(RangeError);
      expect(atomic('FI_SUM', operands, toRight, remote, { remoteOffset: 4 })).toThrow(/multiple/);
      expect(atomic('FI_BOR', operands, toRight, remote)).toThrow(
        expect.objectContaining({ code: 'FI_EOPNOTSUPP', syscall: 'fi_atomic' }) as Error,
      );
      expect(() => left.fetchAtomic('FI_SUM', operands, new Float64Array(3), toRight, remote)).toThrow(/results/);
      expect(() => left.fetchAtomic('FI_SUM', operands, new Float32Array(2), toRight, remote)).toThrow(TypeError);
      expect(() => left.fetchAtomic('FI_SUM', undefined, operands, toRight, remote)).toThrow(TypeError);
    });

    it('can be asked for', () => {
      const { left } = openMemoryPair(info);
      expect(left.queryAtomic('FI_SUM', 'FI_UINT64')).toBeGreaterThan(0);
      expect(left.queryAtomic('FI_BAND', 'FI_DOUBLE')).toBe(0);
      expect(left.queryAtomic('FI_CSWAP', 'FI_UINT64', 'base')).toBe(0);
      expect(left.queryAtomic('FI_CSWAP', 'FI_UINT64', 'compare')).toBeGreaterThan(0);
      expect(() => left.queryAtomic('FI_SUM', 'FI_UINT128' as never)).toThrow(TypeError);
      const found = left.domain.queryAtomic('FI_SUM', 'FI_UINT64', 'fetch');
      expect(found).toMatchObject({ size: 8, count: left.queryAtomic('FI_SUM', 'FI_UINT64', 'fetch') });
    });
  });

  it('need an endpoint that was opened for it', () => {
    const { left, right, toRight } = openMemoryPair(infoWith('sockets', ['FI_RMA']));
    const remote = new MemoryRegion(right.domain, new Uint8Array(8)).remote();
    expect(left.queryAtomic('FI_SUM', 'FI_UINT8')).toBe(0);
    expect(() => left.atomic('FI_SUM', Uint8Array.of(1), toRight, remote)).toThrow(
      expect.objectContaining({ code: 'FI_EOPNOTSUPP' }) as Error,
    );
  });
});

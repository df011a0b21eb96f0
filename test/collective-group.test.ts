import {
  AddressVectorSet,
  CollectiveGroup,
  FabricError,
  getInfo,
  queryCollective,
  type AtomicArray,
  type Endpoint,
  type Info,
} from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { openEndpoint } from './helpers/pair.js';
import { infoOf } from './helpers/providers.js';
import { outcomes, rejection, within } from './helpers/within.js';

const [info] = getInfo(
  {
    caps: ['FI_COLLECTIVE', 'FI_MSG', 'FI_TAGGED'],
    mode: ['FI_CONTEXT', 'FI_CONTEXT2'],
    fabricAttr: { provName: 'tcp;ofi_rxm' },
  },
  { node: '127.0.0.1', flags: 'FI_SOURCE' },
);

function openMembers(size: number, ofInfo: Info = info!) {
  const endpoints = Array.from({ length: size }, () => openEndpoint(ofInfo));
  const addresses = endpoints.map(({ address }) => address);
  const sets = endpoints.map(
    ({ addressVector }) => new AddressVectorSet(addressVector, addressVector.insertMany(addresses)),
  );
  return { endpoints, sets };
}

async function join(size: number): Promise<CollectiveGroup[]> {
  const { endpoints, sets } = openMembers(size);
  return within(Promise.all(endpoints.map((endpoint, at) => CollectiveGroup.join(endpoint, sets[at]!))), 'joining');
}

const all = <T>(groups: CollectiveGroup[], call: (group: CollectiveGroup) => Promise<T>): Promise<T[]> =>
  within(Promise.all(groups.map(call)), 'a collective');

// Of the providers without special hardware, those over ofi_rxm have collectives.
describe.skipIf(info === undefined)('CollectiveGroup', () => {
  describe.each([1, 2, 3, 5])('of %i', (size) => {
    it('knows its ranks and passes a barrier', async () => {
      const groups = await join(size);
      expect(groups.map(({ rank }) => rank)).toEqual([...groups.keys()]);
      await all(groups, (group) => group.barrier());
      await all(groups, (group) => group.barrier());
    });

    it.each([
      ['FI_SUM', Float64Array, (values: number[]) => values.reduce((sum, value) => sum + value, 0)],
      ['FI_MAX', Int32Array, (values: number[]) => Math.max(...values)],
      ['FI_MIN', Uint16Array, (values: number[]) => Math.min(...values)],
      ['FI_BOR', Uint8Array, (values: number[]) => values.reduce((bits, value) => bits | value, 0)],
    ] as const)('reduces with %s', async (operation, type, expected) => {
      const groups = await join(size);
      const results = groups.map(() => new type(3));
      await all(groups, (group) => {
        const own = type.from([1, 2, 3].map((value) => value * (group.rank + 1)));
        return group.allreduce(own, results[group.rank]!, operation);
      });
      const wanted = [1, 2, 3].map((value) => expected(groups.map(({ rank }) => value * (rank + 1))));
      for (const result of results) expect([...result]).toEqual(wanted);
    });

    it('carries as much as its provider can, and refuses more', async () => {
      const groups = await join(size);
      const filled = (group: CollectiveGroup, length: number): Buffer => Buffer.alloc(length, group.rank + 1);
      /** The most bytes that are not refused: the provider has the last word on them. */
      const tooLong = (call: (length: number) => Promise<unknown>): Promise<number> =>
        call(1 << 24).then(
          () => NaN,
          (error: unknown) => Number(/the (\d+) that/.exec(String(error))?.[1]) + 1,
        );
      const first = groups[0]!;
      if (size === 1) {
        const result = Buffer.alloc(1 << 20);
        await all(groups, (group) => group.allreduce(filled(group, 1 << 20), result, 'FI_MAX'));
        expect(result.every((byte) => byte === 1)).toBe(true);
        return;
      }
      const reduce = await tooLong((length) => first.allreduce(Buffer.alloc(length), Buffer.alloc(length), 'FI_MAX'));
      const gather = await tooLong((length) => first.allgather(Buffer.alloc(length), Buffer.alloc(length * size)));
      const scatter = await tooLong((length) => first.scatter(Buffer.alloc(length * size), Buffer.alloc(length), 0));
      const broadcast = await tooLong((length) => first.broadcast(Buffer.alloc(length - (length % size)), 0));
      expect([reduce, gather]).toEqual([16385, 16385]);
      expect(scatter - 1).toBe(Math.floor(16384 / { 2: 1, 3: 1, 5: 2 }[size]!));
      expect(Math.floor((broadcast - 1) / size)).toBe(Math.floor(16384 / { 2: 1, 3: 1, 5: 2 }[size]!));

      const results = groups.map(() => Buffer.alloc(reduce - 1));
      await all(groups, (group) => group.allreduce(filled(group, reduce - 1), results[group.rank]!, 'FI_MAX'));
      for (const result of results) expect(result.every((byte) => byte === size)).toBe(true);
      const gathered = groups.map(() => Buffer.alloc((gather - 1) * size));
      await all(groups, (group) => group.allgather(filled(group, gather - 1), gathered[group.rank]!));
      const parts = Buffer.concat(groups.map((group) => filled(group, gather - 1)));
      for (const result of gathered) expect(result.equals(parts)).toBe(true);
      const shares = groups.map(() => Buffer.alloc(scatter - 1));
      const whole = Buffer.concat(groups.map((group) => filled(group, scatter - 1)));
      await all(groups, (group) => group.scatter(group.rank === 0 ? whole : undefined, shares[group.rank]!, 0));
      for (const [rank, share] of shares.entries()) expect(share.every((byte) => byte === rank + 1)).toBe(true);
      const texts = groups.map(({ rank }) =>
        Buffer.alloc(broadcast - 1 - ((broadcast - 1) % size), rank === 0 ? 7 : 0),
      );
      await all(groups, (group) => group.broadcast(texts[group.rank]!, 0));
      for (const text of texts) expect(text.every((byte) => byte === 7)).toBe(true);
    });

    it('gathers, scatters and broadcasts from every root', async () => {
      const groups = await join(size);
      const gathered = groups.map(() => new BigInt64Array(2 * size));
      await all(groups, (group) => group.allgather(BigInt64Array.of(BigInt(group.rank), -1n), gathered[group.rank]!));
      for (const result of gathered) expect([...result]).toEqual(groups.flatMap(({ rank }) => [BigInt(rank), -1n]));
      for (const root of groups.keys()) {
        const shares = groups.map(() => new Uint32Array(1));
        await all(groups, (group) =>
          group.scatter(group.rank === root ? Uint32Array.from(groups.keys()) : undefined, shares[group.rank]!, root),
        );
        expect(shares.map(([share]) => share)).toEqual([...groups.keys()]);
        const texts = groups.map(({ rank }) => (rank === root ? Buffer.from('seven b') : Buffer.alloc(7)));
        await all(groups, (group) => group.broadcast(texts[group.rank]!, root));
        expect(texts.map(String)).toEqual(groups.map(() => 'seven b'));
      }
    });
  });

  it('settles a collective that nobody else calls when the endpoint closes', async () => {
    const [group] = await join(2);
    const pending = group!.barrier();
    group!.endpoint.close();
    expect(await rejection(pending, 'the barrier')).toMatchObject({ code: 'FI_ECANCELED', syscall: 'fi_barrier' });
    expect(group!.closed).toBe(true);
    expect(await rejection(group!.barrier(), 'another barrier')).toMatchObject({ code: 'FI_EBADF' });
  });

  it('can be closed with an operation under way, and the set before the group', async () => {
    const groups = await join(3);
    const pending = groups.map((group) => group.barrier());
    for (const group of groups) group.close();
    await outcomes(pending, 'the barriers');
    for (const { endpoint } of groups) endpoint.fabric.close();
  });

  it('gives up joining when it is told to', async () => {
    const { endpoints, sets } = openMembers(2);
    const controller = new AbortController();
    const joining = CollectiveGroup.join(endpoints[0]!, sets[0]!, { signal: controller.signal });
    controller.abort(new Error('enough'));
    expect((await rejection(joining, 'joining')).message).toBe('enough');
  });

  it('refuses what the provider cannot do, before it is asked', async () => {
    const [one, two] = await join(2);
    const numbers = (length: number): AtomicArray => new Float64Array(length);
    const refused = async (promise: Promise<unknown>): Promise<string> => String(await rejection(promise, 'a refusal'));
    expect(await refused(one!.alltoall(numbers(2), numbers(2)))).toMatch(/FI_ALLTOALL .*FI_EOPNOTSUPP/);
    expect(await refused(one!.gather(numbers(1), numbers(2), 0))).toMatch(/FI_EOPNOTSUPP/);
    expect(await refused(one!.reduce(numbers(1), numbers(1), 'FI_SUM', 0))).toMatch(/FI_EOPNOTSUPP/);
    expect(await refused(one!.reduceScatter(numbers(2), numbers(1), 'FI_SUM'))).toMatch(/FI_EOPNOTSUPP/);
    expect(await refused(one!.allreduce(numbers(1), numbers(1), 'FI_BAND'))).toMatch(/FI_BAND of Float64Array/);
    expect(await refused(one!.broadcast(new Uint8Array(1 << 20), 0))).toMatch(
      /RangeError: buffer: 1048576 bytes .* 32768 .* FI_BROADCAST of 2 members .* 16384/,
    );
    expect(two!.supports('FI_ALLREDUCE', numbers(1), 'FI_SUM')).toBe(true);
    expect(two!.supports('FI_GATHER')).toBe(false);
  });

  it('checks sizes, types, roots and operations', async () => {
    const [group] = await join(1);
    const thrown = (call: () => unknown): void => {
      expect(call).toThrow(/expected|multiple|only the root/);
    };
    thrown(() => group!.allreduce(new Uint8Array(2), new Uint8Array(3), 'FI_SUM'));
    thrown(() => group!.allreduce(new Uint8Array(2), new Int8Array(2), 'FI_SUM'));
    thrown(() => group!.allreduce(new Uint8ClampedArray(2) as never, new Uint8Array(2), 'FI_SUM'));
    thrown(() => group!.allgather(new Uint8Array(0), new Uint8Array(0)));
    thrown(() => group!.scatter(new Uint8Array(2), new Uint8Array(1), 0));
    thrown(() => group!.scatter(undefined, new Uint8Array(1), 0));
    thrown(() => group!.scatter(new Uint8Array(1), new Uint8Array(1), 1));
    await expect(group!.broadcast(new Uint8Array(1), -1)).rejects.toThrow(/root: expected a rank/);
    await expect(group!.allreduce(new Uint8Array(1), new Uint8Array(1), 'FI_NO' as never)).rejects.toThrow(
      /is none of/,
    );
  });

  it('refuses endpoints and sets that do not go together', async () => {
    const { endpoints, sets } = openMembers(2);
    const [endpoint, other] = endpoints as [Endpoint, Endpoint];
    expect(String(await rejection(CollectiveGroup.join(endpoint, sets[1]!), 'another vector'))).toMatch(/TypeError/);
    const without = new AddressVectorSet(endpoint.addressVector, [endpoint.addressVector.insert(other.address)]);
    expect(String(await rejection(CollectiveGroup.join(endpoint, without), 'a set without it'))).toMatch(/own address/);
    const plain = openEndpoint(infoOf('net'));
    expect(String(await rejection(CollectiveGroup.join(plain, sets[0]!), 'no capability'))).toMatch(/FI_COLLECTIVE/);
    expect(queryCollective(plain.domain, 'FI_BARRIER')).toBeUndefined();
    expect(() => queryCollective({} as never, 'FI_BARRIER')).toThrow(TypeError);
  });
});

describe.skipIf(info === undefined)('AddressVectorSet', () => {
  function openSet(members: number) {
    const endpoint = openEndpoint(info!);
    const { addressVector } = endpoint;
    const indices = addressVector.insertSymmetric({ node: '127.0.0.1', service: 5000 }, 1, members);
    return { addressVector, indices, set: new AddressVectorSet(addressVector, indices.slice(0, 3)) };
  }

  it('keeps the order of its members', () => {
    const { addressVector, indices, set } = openSet(6);
    const [a, b, c, d, e] = indices as [number, number, number, number, number];
    expect(set.members).toEqual([a, b, c]);
    set.remove(a);
    expect(set.members).toEqual([c, b]);
    set.union(new AddressVectorSet(addressVector, [b, d, e]));
    expect(set.members).toEqual([c, b, d, e]);
    set.intersect(new AddressVectorSet(addressVector, [e, d, c]));
    expect(new Set(set.members)).toEqual(new Set([c, d, e]));
    set.difference(new AddressVectorSet(addressVector, [d, e, a]));
    expect(set.members).toEqual([c]);
  });

  it('refuses members twice, strangers, and more than it has room for', () => {
    const { addressVector, indices, set } = openSet(4);
    expect(() => {
      set.insert(indices[0]!);
    }).toThrow(/FI_EINVAL/);
    expect(() => {
      set.insert(1 << 20);
    }).toThrow(/FI_EINVAL/);
    expect(() => {
      set.insert(-1);
    }).toThrow(RangeError);
    expect(() => {
      set.remove(indices[3]!);
    }).toThrow(/FI_EINVAL/);
    expect(() => new AddressVectorSet(addressVector, indices, { capacity: 2 })).toThrow(/FI_ENOMEM/);
    expect(() => new AddressVectorSet(addressVector, [], { capacity: 0 })).toThrow(/options.capacity/);
    expect(() => {
      set.union(openSet(1).set);
    }).toThrow(/another AddressVector/);
  });

  it('keeps its members in the vector until it is closed', () => {
    const { addressVector, indices, set } = openSet(4);
    expect(() => {
      addressVector.remove(indices[0]!);
    }).toThrow(/FI_EBUSY/);
    set.close();
    addressVector.remove(indices[0]!);
    expect(() => set.members).toThrow(FabricError);
  });

  it('does not exist where the provider has none', () => {
    const { addressVector } = openEndpoint(infoOf('shm'));
    expect(() => new AddressVectorSet(addressVector)).toThrow(/FI_ENOSYS/);
  });
});

import {
  Endpoint,
  RemoteRegion,
  type AtomicArray,
  type AtomicKind,
  type AtomicOperation,
  type Hints,
  type MemoryRegion,
} from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { infoWith, overProvidersWith } from './helpers/memory-pair.js';
import { acquaint, bothWays, look, OtherProcess, type Acquainted, type Side } from './helpers/other-process.js';
import { itUnless, wrongKeysObstacle } from './helpers/providers.js';
import { outcomes } from './helpers/within.js';

interface Kept extends Acquainted {
  target: AtomicArray;
  region: MemoryRegion;
}

const HINTS = { caps: ['FI_MSG', 'FI_TAGGED', 'FI_RMA', 'FI_ATOMIC'] } as const satisfies Hints;

/** Opens a region on a side, of these elements. */
const expose = async (side: Side<Kept>, elements: AtomicArray): Promise<RemoteRegion> =>
  RemoteRegion.fromJSON(
    await side.run(({ fabric, kept }, target) => {
      kept.endpoint.trecv(new Uint8Array(1), 0n).catch(() => undefined);
      kept.target = target;
      kept.region = new fabric.MemoryRegion(kept.endpoint.domain, target);
      return kept.region.remote().toJSON();
    }, elements),
  );

interface Call {
  readonly kind: AtomicKind | 'inject';
  readonly operation: AtomicOperation;
  readonly operands?: AtomicArray;
  readonly comparands?: AtomicArray;
  readonly remoteOffset?: number;
}

/** Does an operation from a side. @returns what was there before, where the operation says so. */
const change = (side: Side<Kept>, remote: RemoteRegion, call: Call) =>
  side.run(
    async ({ fabric, kept: { endpoint, toPeer } }, region, { kind, operation, operands, comparands, ...options }) => {
      const place = fabric.RemoteRegion.fromBytes(region);
      const results = operands?.slice() ?? new BigUint64Array(2);
      if (kind === 'base') await endpoint.atomic(operation, operands!, toPeer, place, options);
      else if (kind === 'inject') await endpoint.injectAtomic(operation, operands!, toPeer, place, options);
      else if (kind === 'fetch') await endpoint.fetchAtomic(operation, operands, results, toPeer, place, options);
      else await endpoint.compareAtomic(operation, operands!, comparands!, results, toPeer, place, options);
      return results;
    },
    remote.toBytes(),
    call,
  );

describe('memory of another process, atomically', () => {
  overProvidersWith(HINTS.caps, (_, provider) => {
    const there = new OtherProcess<Kept>();
    const probe = Endpoint.open(infoWith(provider, HINTS.caps));
    const hasSome = probe.queryAtomic('FI_SUM', 'FI_UINT64') > 0;
    probe.close();
    if (!hasSome) {
      it.skip(`FI_ATOMIC is among the capabilities of ${provider}, but it has no operation, or none that is safe`);
      return;
    }
    const meet = () => acquaint(there, provider, HINTS, { progress: 'spin' });

    it('is changed, fetched and compared in both directions', async () => {
      const here = await meet();
      for (const [from, to] of bothWays(here, there)) {
        const remote = await expose(to, BigUint64Array.of(1n, 10n, 20n, 1n));
        const place = { remoteOffset: 8 };
        const fetched = (call: Omit<Call, 'kind'>) => change(from, remote, { kind: 'fetch', ...place, ...call });
        await change(from, remote, {
          kind: 'base',
          operation: 'FI_SUM',
          operands: BigUint64Array.of(5n, 6n),
          ...place,
        });
        await change(from, remote, {
          kind: 'inject',
          operation: 'FI_MAX',
          operands: BigUint64Array.of(3n, 99n),
          ...place,
        });
        expect(await fetched({ operation: 'FI_ATOMIC_READ' })).toEqual(BigUint64Array.of(15n, 99n));
        const before = await fetched({ operation: 'FI_BOR', operands: BigUint64Array.of(16n, 0n) });
        expect(before).toEqual(BigUint64Array.of(15n, 99n));
        const swapped = await change(from, remote, {
          kind: 'compare',
          operation: 'FI_CSWAP',
          operands: BigUint64Array.of(7n, 7n),
          comparands: BigUint64Array.of(31n, 1n),
          ...place,
        });
        expect(swapped).toEqual(BigUint64Array.of(31n, 99n));
        expect(await to.run(({ kept }) => kept.target)).toEqual(BigUint64Array.of(1n, 7n, 99n, 1n));
      }
    });

    it.each([
      ['FI_INT32', Int32Array.of(-5, 7), Int32Array.of(3, -9), Int32Array.of(-2, -2)],
      ['FI_UINT8', Uint8Array.of(250, 1), Uint8Array.of(10, 1), Uint8Array.of(4, 2)],
      ['FI_DOUBLE', Float64Array.of(0.5, 1), Float64Array.of(0.25, -1), Float64Array.of(0.75, 0)],
    ] as const)('is added to as %s', async (_datatype, elements, operands, sums) => {
      const here = await meet();
      const remote = await expose(there, elements);
      expect(await change(here, remote, { kind: 'fetch', operation: 'FI_SUM', operands })).toEqual(elements);
      expect(await there.run(({ kept }) => kept.target)).toEqual(sums);
    });

    it('loses nothing when both processes add to it', async () => {
      const here = await meet();
      const remote = await expose(there, BigUint64Array.of(0n));
      const itself = there.run(async ({ fabric, kept: { endpoint } }, region) => {
        const [self, place] = [endpoint.addressVector.insert(endpoint.address), fabric.RemoteRegion.fromBytes(region)];
        const [one, result] = [BigUint64Array.of(1n), new BigUint64Array(1)];
        for (let i = 0; i < 200; i++) await endpoint.fetchAtomic('FI_SUM', one, result, self, place);
      }, remote.toBytes());
      const { endpoint, toPeer } = here.kept;
      const adds = Array.from({ length: 200 }, () =>
        endpoint.fetchAtomic('FI_SUM', BigUint64Array.of(1n), new BigUint64Array(1), toPeer, remote),
      );
      await Promise.all([itself, ...adds]);
      expect(await there.run(({ kept }) => kept.target)).toEqual(BigUint64Array.of(400n));
    });

    it('is left alone by operations that the provider does not have', async () => {
      const here = await meet();
      const elements = Float64Array.of(1, 2);
      const remote = await expose(there, elements);
      const operands = Float64Array.of(3, 4);
      const bits = change(here, remote, { kind: 'base', operation: 'FI_BAND', operands });
      const swap = change(here, remote, { kind: 'base', operation: 'FI_CSWAP', operands });
      expect(await outcomes([bits, swap], 'the refusals')).toEqual(['FI_EOPNOTSUPP', 'FI_EOPNOTSUPP']);
      expect(await there.run(({ kept }) => kept.target)).toEqual(elements);
    });

    itUnless(wrongKeysObstacle(provider), 'is left alone by operations whose key is unknown', async () => {
      const here = await meet();
      const elements = Float64Array.of(1, 2);
      const remote = await expose(there, elements);
      const operands = Float64Array.of(3, 4);
      const unknown = new RemoteRegion(remote.address, 9999n, 16);
      const ended = outcomes([change(here, unknown, { kind: 'fetch', operation: 'FI_SUM', operands })], 'the refusal');
      if (provider === 'shm') {
        // whose peer says nothing
        await there.run(look);
        here.kept.endpoint.close();
      }
      expect(await ended).toEqual([provider === 'shm' ? 'FI_ECANCELED' : 'FI_EACCES']);
      expect(await there.run(({ kept }) => kept.target)).toEqual(elements);
    });
  });
});

import { AddressVectorSet, CollectiveGroup, getInfo, type Endpoint, type Hints, type Reduction } from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { look, OtherProcess, ThisProcess, type Side } from './helpers/other-process.js';
import { openEndpoint } from './helpers/pair.js';
import { infoOf } from './helpers/providers.js';
import { outcomes, within } from './helpers/within.js';

type NumberArray = Float64Array | Int32Array | Uint8Array;

interface Kept {
  endpoint: Endpoint;
  group: CollectiveGroup;
}

const HINTS = { caps: ['FI_MSG', 'FI_TAGGED', 'FI_COLLECTIVE'] } as const satisfies Hints;

describe('a group of three processes', () => {
  for (const provider of ['tcp;ofi_rxm', 'net;ofi_rxm']) {
    if (getInfo({ ...HINTS, fabricAttr: { provName: provider } }).length === 0) {
      it.skip(`over ${provider}: it has no collectives here`);
      continue;
    }
    describe(`over ${provider}`, () => {
      const others = [new OtherProcess<Kept>(), new OtherProcess<Kept>()] as const;

      /** Has each of the three join, the first of them here. */
      async function join(): Promise<Side<Kept>[]> {
        const endpoint = openEndpoint(infoOf(provider, HINTS));
        const addresses = [endpoint.address];
        for (const other of others) {
          onTestFinished(() =>
            other.run(({ closeAll }) => {
              closeAll();
            }),
          );
          addresses.push(
            await other.run(
              ({ fabric, infoOf, opened, kept }, name, hints) => {
                kept.endpoint = opened(fabric.Endpoint.open(infoOf(name, hints)));
                return kept.endpoint.address;
              },
              provider,
              HINTS,
            ),
          );
        }
        const joining = others.map((other) =>
          other.run(async ({ fabric, kept }, members) => {
            const { addressVector } = kept.endpoint;
            const set = new fabric.AddressVectorSet(addressVector, addressVector.insertMany(members));
            kept.group = await fabric.CollectiveGroup.join(kept.endpoint, set);
          }, addresses),
        );
        const { addressVector } = endpoint;
        const set = new AddressVectorSet(addressVector, addressVector.insertMany(addresses));
        const group = await within(CollectiveGroup.join(endpoint, set), 'joining');
        await Promise.all(joining);
        return [new ThisProcess<Kept>({ endpoint, group }), ...others];
      }

      const each = <T>(members: readonly Side<Kept>[], call: (member: Side<Kept>) => Promise<T>): Promise<T[]> =>
        within(Promise.all(members.map(call)), 'a collective');

      it('knows its ranks, and meets at a barrier', async () => {
        const members = await join();
        expect(await each(members, (member) => member.run(({ kept }) => [kept.group.rank, kept.group.size]))).toEqual([
          [0, 3],
          [1, 3],
          [2, 3],
        ]);
        let passed = 0;
        const barriers = members.slice(0, 2).map((member) =>
          member
            .run(({ kept }) => kept.group.barrier())
            .then(() => {
              passed++;
            }),
        );
        // two have come, and are told of nothing else
        for (const member of members) await member.run(look);
        expect(passed).toBe(0);
        await within(Promise.all([...barriers, members[2]!.run(({ kept }) => kept.group.barrier())]), 'the barrier');
      });

      it.each<[Reduction, NumberArray, NumberArray]>([
        ['FI_SUM', Float64Array.of(0.5, 2), Float64Array.of(3, 12)],
        ['FI_MAX', Int32Array.of(-1, 5), Int32Array.of(-1, 15)],
        ['FI_BOR', Uint8Array.of(1, 16), Uint8Array.of(3, 48)],
      ])('reduces with %s', async (operation, unit, expected) => {
        const members = await join();
        const results = await each(members, (member) =>
          member.run(
            async ({ kept: { group } }, reduction, one) => {
              const own = one.map((value) => value * (group.rank + 1));
              const result = one.slice();
              await group.allreduce(own, result, reduction);
              return result;
            },
            operation,
            unit,
          ),
        );
        expect(results).toEqual([expected, expected, expected]);
      });

      it('gathers, scatters and broadcasts', async () => {
        const members = await join();
        const gathered = await each(members, (member) =>
          member.run(async ({ kept: { group } }) => {
            const result = new BigInt64Array(6);
            await group.allgather(BigInt64Array.of(BigInt(group.rank), -1n), result);
            return result;
          }),
        );
        expect(gathered).toEqual(Array(3).fill(BigInt64Array.of(0n, -1n, 1n, -1n, 2n, -1n)));
        for (const root of [0, 1, 2]) {
          const shares = await each(members, (member) =>
            member.run(async ({ kept: { group } }, from) => {
              const share = new Uint32Array(2);
              const whole = group.rank === from ? Uint32Array.of(1, 2, 3, 4, 5, 6) : undefined;
              await group.scatter(whole, share, from);
              const text = Buffer.from(group.rank === from ? `from ${from}` : '      ');
              await group.broadcast(text, from);
              return [[...share], text.toString()];
            }, root),
          );
          expect(shares).toEqual([
            [[1, 2], `from ${root}`],
            [[3, 4], `from ${root}`],
            [[5, 6], `from ${root}`],
          ]);
        }
      });

      it('keeps who waits for a member that was killed waiting, until its endpoint is closed', async () => {
        const [here, other] = await join();
        const barriers = [here!, other!].map((member) => member.run(({ kept }) => kept.group.barrier()));
        const ended = outcomes(barriers, 'the barriers');
        await others[1].kill();
        for (const member of [here!, other!]) {
          await member.run(({ kept }) => {
            kept.endpoint.close();
          });
        }
        for (const outcome of await ended) expect(outcome).toMatch(/^FI_E(CANCELED|NOTCONN|CONNRESET|IO)$/);
      });
    });
  }
});

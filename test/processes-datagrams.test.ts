import { getInfo, type Hints } from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { bothWays, OtherProcess, ThisProcess, type Acquainted, type Side } from './helpers/other-process.js';
import { openEndpoint } from './helpers/pair.js';
import { outcomes } from './helpers/within.js';

const LOOPBACK = { node: '127.0.0.1', flags: 'FI_SOURCE' } as const;

/** Posts a receive on a side, for certain before anything that comes after. */
async function receive(side: Side, size: number) {
  const promise = side.run(async ({ kept }, length) => {
    const buffer = Buffer.alloc(length);
    const completion = await kept.endpoint.recv(buffer);
    return { ...completion, bytes: buffer.subarray(0, completion.length) };
  }, size);
  await side.run(() => undefined);
  return { promise };
}

const send = (side: Side, parts: readonly Buffer[]) =>
  side.run(({ kept }, buffers) => kept.endpoint.send(buffers, kept.toPeer), parts);

describe('datagrams between two processes', () => {
  for (const provider of ['udp', 'sockets']) {
    const hints: Hints = {
      caps: ['FI_MSG'],
      mode: ['FI_CONTEXT', 'FI_CONTEXT2'],
      epAttr: { type: 'FI_EP_DGRAM' },
      fabricAttr: { provName: provider },
    };
    const [info] = getInfo(hints, LOOPBACK);
    if (info === undefined) {
      it.skip(`over ${provider}: it has no datagrams here`);
      continue;
    }
    describe(`over ${provider}`, () => {
      const there = new OtherProcess<Acquainted>();

      async function meet(): Promise<ThisProcess> {
        const endpoint = openEndpoint(info!);
        onTestFinished(() =>
          there.run(({ closeAll }) => {
            closeAll();
          }),
        );
        const address = await there.run(
          ({ fabric, opened, kept }, wanted, where, peer) => {
            kept.endpoint = opened(fabric.Endpoint.open(fabric.getInfo(wanted, where)[0]!));
            kept.toPeer = kept.endpoint.addressVector.insert(peer);
            return kept.endpoint.address;
          },
          hints,
          LOOPBACK,
          endpoint.address,
        );
        return new ThisProcess({ endpoint, toPeer: endpoint.addressVector.insert(address) });
      }

      it('arrive in both directions, from several buffers too', async () => {
        const here = await meet();
        for (const [from, to] of bothWays(here, there)) {
          for (const size of [0, 1, 1472]) {
            const message = pattern(size, size);
            const receiving = await receive(to, size);
            await send(from, size === 0 ? [message] : [message.subarray(0, 1), message.subarray(1)]);
            expectSame((await receiving.promise).bytes, message);
          }
        }
      });

      it(`are ${provider === 'udp' ? 'cut silently' : 'truncated with an error'} for a receive that is too short`, async () => {
        const here = await meet();
        const { promise } = await receive(there, 10);
        const ended = outcomes([promise], 'the receive');
        await send(here, [pattern(100)]);
        expect(await ended).toEqual([provider === 'udp' ? 'fulfilled' : 'FI_ETRUNC']);
        if (provider === 'udp') expectSame((await promise).bytes, pattern(10));
      });

      it(`${provider === 'udp' ? 'get lost' : 'are refused'} where nobody is`, async () => {
        const here = await meet();
        const { endpoint } = here.kept;
        const nobody = Buffer.from(endpoint.address);
        nobody.writeUInt16BE(1, 2);
        const toNobody = endpoint.addressVector.insert(nobody);
        const sending = here.run(({ kept }) => kept.endpoint.send(new Uint8Array(8), toNobody));
        expect(await outcomes([sending], 'the send')).toEqual([provider === 'udp' ? 'fulfilled' : 'FI_ENOENT']);
        const { promise } = await receive(there, 8);
        await send(here, [pattern(8)]);
        expectSame((await promise).bytes, pattern(8));
      });

      it.runIf(provider === 'udp')('are refused beyond what fits', async () => {
        const here = await meet();
        const sending = here.run(({ kept }) => kept.endpoint.send(new Uint8Array(1473), kept.toPeer));
        expect(await outcomes([sending], 'the send')).toEqual(['RangeError']);
      });
    });
  }
});

import { CompletionBatch, type Hints } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { acquaint, bothWays, look, OtherProcess, type Acquainted, type Side } from './helpers/other-process.js';
import { openEndpoint } from './helpers/pair.js';
import {
  dataOver,
  infoOf,
  itUnless,
  overEachProvider,
  OVERRUNS_MULTI_RECEIVES,
  type Provider,
} from './helpers/providers.js';
import { nextTurn, outcomes, within } from './helpers/within.js';

const SIZES = [0, 1, 64, 4096, 65_537, 1 << 20];
const FLAGS = [
  'FI_MORE',
  'FI_INJECT',
  'FI_INJECT_COMPLETE',
  'FI_TRANSMIT_COMPLETE',
  'FI_MATCH_COMPLETE',
  'FI_DELIVERY_COMPLETE',
  'FI_FENCE',
] as const;
/** Those that keep a send with FI_DELIVERY_COMPLETE pending until it is received. */
const WAIT_FOR_RECEIVE: readonly Provider[] = ['shm', 'net'];

/** Posts a receive on a side, into buffers of these sizes. */
const receive = (side: Side, sizes: readonly number[]) =>
  side.run(async ({ kept }, lengths) => {
    const buffers = lengths.map((length) => Buffer.alloc(length));
    const completion = await kept.endpoint.recv(buffers);
    return { ...completion, bytes: Buffer.concat(buffers).subarray(0, completion.length) };
  }, sizes);

/** The same, for certain before anything that comes after. */
async function posted(side: Side, sizes: readonly number[]) {
  const promise = receive(side, sizes);
  await side.run(() => undefined);
  return { promise };
}

const send = (
  side: Side,
  parts: readonly Buffer[],
  options: { data?: bigint; flags?: readonly (typeof FLAGS)[number][] } = {},
) => side.run(({ kept }, buffers, wanted) => kept.endpoint.send(buffers, kept.toPeer, wanted), parts, options);

const withCapabilities = (...caps: ('FI_MULTI_RECV' | 'FI_SOURCE' | 'FI_DIRECTED_RECV')[]): Hints => ({
  caps: ['FI_MSG', 'FI_TAGGED', ...caps],
});

describe('messages between two processes', () => {
  overEachProvider((_, provider) => {
    const there = new OtherProcess<Acquainted>();
    const DATA = dataOver(provider);

    it('arrive in both directions, from several buffers in several', async () => {
      const here = await acquaint(there, provider);
      const exchange = async (from: Side, to: Side, seed: number): Promise<void> => {
        for (const size of SIZES) {
          const message = pattern(size, seed);
          const cut = [message.subarray(0, size >> 2), message.subarray(size >> 2)];
          const [{ bytes }] = await Promise.all([receive(to, [size >> 1, size - (size >> 1)]), send(from, cut)]);
          expectSame(bytes, message);
        }
      };
      await Promise.all([exchange(here, there, 1), exchange(there, here, 2)]);
    });

    it.each(['here', 'there'])('are sent with every flag from %s', async (where) => {
      const here = await acquaint(there, provider);
      const [from, to] = where === 'here' ? [here, there] : [there, here];
      const message = pattern(64, 3);
      for (const flag of FLAGS) {
        const sending = send(from, [message], { flags: [flag] });
        if (flag === 'FI_INJECT' && provider === 'udp;ofi_rxd') {
          // it would never complete
          expect(await outcomes([sending], flag)).toEqual(['FI_EOPNOTSUPP']);
          continue;
        }
        // one after it: FI_MORE says that there is
        const following = send(from, [message]);
        const received = await Promise.all([receive(to, [100]), receive(to, [100])]);
        for (const { bytes } of received) expectSame(bytes, message);
        await within(Promise.all([sending, following]), flag);
      }
    });

    const arrivalIsDelivery = !WAIT_FOR_RECEIVE.includes(provider) && `${provider} takes arrival for delivery`;
    itUnless(arrivalIsDelivery, 'are delivered when FI_DELIVERY_COMPLETE says so', async () => {
      const here = await acquaint(there, provider);
      for (const size of [8, 90_000]) {
        const state = { isDelivered: false };
        const sending = send(here, [pattern(size)], { flags: ['FI_DELIVERY_COMPLETE'] }).then(() => {
          state.isDelivered = true;
        });
        // the peer has no receive
        await there.run(look);
        expect(state.isDelivered).toBe(false);
        await Promise.all([receive(there, [size]), within(sending, 'the delivery')]);
      }
    });

    // posted first: sockets forgets the data of a message without a receive (processes-tagged.test.ts)
    it('bring immediate data along, injected too', async () => {
      const here = await acquaint(there, provider);
      for (const [from, to] of bothWays(here, there)) {
        for (const size of [0, 5, 70_000]) {
          const receiving = await posted(to, [size]);
          await send(from, [pattern(size)], { data: DATA });
          expect(await receiving.promise).toMatchObject({ length: size, data: DATA });
        }
        const receiving = await posted(to, [9]);
        await from.run(
          ({ kept }, message, data) => kept.endpoint.inject(message, kept.toPeer, { data }),
          pattern(9),
          DATA - 1n,
        );
        const { data, bytes } = await receiving.promise;
        expect(data).toBe(DATA - 1n);
        expectSame(bytes, pattern(9));
      }
    });

    const overruns = OVERRUNS_MULTI_RECEIVES.includes(provider);
    itUnless(overruns && `${provider} overruns them`, 'fill multi-receive buffers', async () => {
      const { endpoint, toPeer } = (await acquaint(there, provider, withCapabilities('FI_MULTI_RECV'))).kept;
      const messages = Array.from({ length: 40 }, (_, index) => pattern(2000 + index, index));
      const filling = there.run(async ({ fabric, kept: { endpoint: receiver } }, count) => {
        const room = Buffer.alloc(1 << 16);
        const batch = new fabric.CompletionBatch(8);
        const received: Buffer[] = [];
        let buffers = 0;
        receiver.postMultiRecv(room, 1);
        while (received.length < count) {
          const read = receiver.completionQueue.read(batch, 100);
          for (let i = 0; i < read; i++) {
            const offset = batch.offset[i]!;
            // before its bytes are overwritten: the buffer is posted again below
            if (offset >= 0) received.push(Buffer.from(room.buffer.slice(offset, offset + batch.length[i]!)));
            if ((batch.flags[i]! & fabric.OPERATION_FLAGS.FI_MULTI_RECV) === 0n) continue;
            buffers++;
            receiver.postMultiRecv(room, 1);
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
        return { received, buffers };
      }, messages.length);
      const sends = Promise.all(messages.map((message) => endpoint.send(message, toPeer)));
      const [{ received, buffers }] = await Promise.all([filling, sends]);
      expectSame(Buffer.concat(received), Buffer.concat(messages));
      expect(buffers).toBeGreaterThanOrEqual(1);
    });

    it('say who sent them', async () => {
      const here = await acquaint(there, provider, withCapabilities('FI_SOURCE'));
      const receiving = there.run(async ({ fabric, kept: { endpoint, toPeer } }) => {
        const stranger = Buffer.from(endpoint.address);
        const [batch, before] = [new fabric.CompletionBatch(1), endpoint.addressVector.insert(stranger)];
        endpoint.postRecv(Buffer.alloc(8), 1);
        while (endpoint.completionQueue.read(batch, 100) === 0) await new Promise((resolve) => setImmediate(resolve));
        return { source: batch.source[0], toPeer, before };
      });
      const [{ source, toPeer, before }] = await Promise.all([receiving, send(here, [pattern(8)])]);
      expect(source).toBe(toPeer);
      expect(source).not.toBe(before);
    });

    const notDirected = provider === 'net' && 'net 1.17 does so with tagged messages only';
    itUnless(notDirected, 'are taken from whom they were wanted', async () => {
      const hints = withCapabilities('FI_DIRECTED_RECV');
      const here = await acquaint(there, provider, hints);
      const stranger = openEndpoint(infoOf(provider, hints));
      const toThere = stranger.addressVector.insert(await there.run(({ kept }) => kept.endpoint.address));
      const receiving = there.run(async ({ kept: { endpoint, toPeer } }, address) => {
        const fromStranger = endpoint.addressVector.insert(address);
        const [first, second] = [Buffer.alloc(8), Buffer.alloc(8)];
        await Promise.all([endpoint.recv(first, toPeer), endpoint.recv(second, fromStranger)]);
        return [first, second] as const;
      }, stranger.address);
      // sockets never finds out who a stranger was that came before it was known
      await there.run(() => undefined);
      await within(stranger.send(pattern(8, 2), toThere), "the stranger's send");
      await within(send(here, [pattern(8, 1)]), 'the send');
      const [first, second] = await receiving;
      expectSame(first, pattern(8, 1));
      expectSame(second, pattern(8, 2));
    });

    // 4000 bytes: shm of libfabric 1.x never returns from a message of more than 4096
    it.each(['here', 'there'])('end a receive that is too short for them: %s', async (where) => {
      const here = await acquaint(there, provider);
      const [from, to] = where === 'here' ? [there, here] : [here, there];
      const ended = outcomes([receive(to, [10])], 'the receive');
      await outcomes([send(from, [pattern(4000)])], 'the send');
      // rxd cuts silently
      expect(await ended).toEqual([provider === 'udp;ofi_rxd' ? 'fulfilled' : 'FI_ETRUNC']);
    });

    it(`${provider === 'efa' ? 'fail' : 'wait'} for a peer that is not there, and keep nothing from others`, async () => {
      const here = await acquaint(there, provider);
      const { endpoint, toPeer } = here.kept;
      const nobody = Buffer.from(endpoint.address);
      if (provider === 'shm') nobody.write('fi_shm://4194303');
      else nobody.writeUInt16BE(1, 2);
      const toNobody = endpoint.addressVector.insert(nobody);
      const sending = (): Promise<unknown> => endpoint.send(pattern(8), toNobody, { signal: AbortSignal.timeout(200) });
      // the device knows; the others try to connect, for as long as they are asked to
      if (provider === 'efa') expect(await outcomes([sending()], 'a send to nobody')).toEqual(['FI_EIO']);
      else if (provider === 'sockets') expect(sending).toThrow(expect.objectContaining({ code: 'FI_ENOENT' }) as Error);
      else expect(await outcomes([sending()], 'a send to nobody')).toEqual(['TimeoutError']);
      const [{ bytes }] = await Promise.all([receive(there, [8]), endpoint.send(pattern(8), toPeer)]);
      expectSame(bytes, pattern(8));
    });

    it('go past a receive that was cancelled', async () => {
      const here = await acquaint(there, provider);
      const cancelled = there.run(({ kept }) =>
        kept.endpoint.recv(Buffer.alloc(8), -1, { signal: AbortSignal.timeout(10) }),
      );
      expect(await outcomes([cancelled], 'the cancelled receive')).toEqual(['TimeoutError']);
      const [{ bytes }] = await Promise.all([receive(there, [8]), send(here, [pattern(8)])]);
      expectSame(bytes, pattern(8));
    });

    it('are refused when the queue is full, and none is lost', async () => {
      const { endpoint, toPeer } = (await acquaint(there, provider)).kept;
      await Promise.all([receive(there, [1]), endpoint.send(pattern(1), toPeer)]);
      const standstill = there.run(() => {
        const end = performance.now() + 200;
        while (performance.now() < end);
      });
      const messages: Buffer[] = [];
      for (;;) {
        const message = pattern(4000, messages.length);
        if (!endpoint.postSend(message, toPeer, 0)) break;
        messages.push(message);
      }
      await standstill;
      const receiving = there.run(async ({ kept }, count) => {
        const received: Buffer[] = [];
        for (let i = 0; i < count; i++) {
          const buffer = Buffer.alloc(4000);
          await kept.endpoint.recv(buffer);
          received.push(buffer);
        }
        return Buffer.concat(received);
      }, messages.length);
      const batch = new CompletionBatch(64);
      let completed = 0;
      while (completed < messages.length) {
        completed += endpoint.completionQueue.read(batch, 100);
        await nextTurn();
      }
      expectSame(await receiving, Buffer.concat(messages));
      expect(messages.length).toBeGreaterThan(1);
    });
  });
});

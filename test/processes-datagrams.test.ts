import { FabricError, type Hints, type Info } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { acquaint, bothWays, OtherProcess, type Acquainted, type Side } from './helpers/other-process.js';
import { infoOf, isOnSoftwareEfa, itUnless } from './helpers/providers.js';
import { outcomes } from './helpers/within.js';

const HINTS: Hints = { caps: ['FI_MSG', 'FI_SOURCE'], epAttr: { type: 'FI_EP_DGRAM' } };

/** What providers make of a datagram that nobody can take whole. */
interface Habits {
  /** How many bytes fit. */
  readonly limit: number;
  /** Of how many buffers. */
  readonly parts: number;
  /** How a receive ends that is too short. */
  readonly tooShort: 'fulfilled' | 'FI_ETRUNC' | 'FI_EIO';
  /** How a send ends to an address where nobody is. */
  readonly toNobody: 'fulfilled' | 'FI_ENOENT';
}

const PROVIDERS: Readonly<Record<string, Habits>> = isOnSoftwareEfa
  ? { efa: { limit: 8928, parts: 1, tooShort: 'FI_EIO', toNobody: 'fulfilled' } }
  : {
      udp: { limit: 1472, parts: 2, tooShort: 'fulfilled', toNobody: 'fulfilled' },
      sockets: { limit: Infinity, parts: 2, tooShort: 'FI_ETRUNC', toNobody: 'FI_ENOENT' },
    };

/** An address like this one, of nobody. */
function addressOfNobody(provider: string, address: Uint8Array): Buffer {
  const nobody = Buffer.from(address);
  if (provider === 'efa') nobody.writeUInt16LE(0xfffe, 16);
  else nobody.writeUInt16BE(1, 2);
  return nobody;
}

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

function infoOrReason(provider: string): Info | string {
  try {
    return infoOf(provider, HINTS);
  } catch (error) {
    if (error instanceof FabricError) return error.message;
    throw error;
  }
}

describe('datagrams between two processes', () => {
  for (const [provider, { limit, parts, tooShort, toNobody }] of Object.entries(PROVIDERS)) {
    const info = infoOrReason(provider);
    if (typeof info === 'string') {
      it.skip(`over ${provider}: ${info}`);
      continue;
    }
    describe(`over ${provider}`, () => {
      const there = new OtherProcess<Acquainted>();

      it('arrive in both directions, from several buffers too', async () => {
        const here = await acquaint(there, provider, HINTS);
        for (const [from, to] of bothWays(here, there)) {
          for (const size of [0, 1, 32, 33, Math.min(limit, 4096)]) {
            const message = pattern(size, size);
            const receiving = await receive(to, size);
            const isCut = size > 0 && parts > 1;
            await send(from, isCut ? [message.subarray(0, 1), message.subarray(1)] : [message]);
            const { bytes, source } = await receiving.promise;
            expectSame(bytes, message);
            // the only one that it knows
            expect(source).toBe(0);
          }
        }
      });

      it('take their length from the message, through both doors', async () => {
        const here = await acquaint(there, provider, HINTS);
        const { endpoint, toPeer } = here.kept;
        const sizes = [1, 100, 0, Math.min(limit, 1400)];
        const lengths = there.run(async ({ fabric, kept }, expected) => {
          const batch = new fabric.CompletionBatch(8);
          const buffers = Array.from({ length: expected }, () => Buffer.alloc(1500, 0xee));
          for (const [index, buffer] of buffers.entries()) kept.endpoint.postRecv(buffer, index);
          const found: [number, number, string][] = [];
          while (found.length < expected) {
            const count = kept.endpoint.completionQueue.read(batch, 1000);
            for (let i = 0; i < count; i++) {
              const buffer = buffers[batch.context[i]!]!;
              const length = batch.length[i]!;
              // nothing behind the message has changed
              const isClean = buffer.subarray(length).every((byte) => byte === 0xee);
              found.push([length, batch.error[i]!, isClean ? buffer.toString('hex', 0, length) : 'overwritten']);
            }
            await new Promise((resolve) => setImmediate(resolve));
          }
          return found;
        }, sizes.length);
        await there.run(() => undefined);
        for (const [index, size] of sizes.entries()) await endpoint.send(pattern(size, index), toPeer);
        const expected = sizes.map((size, index) => [size, 0, pattern(size, index).toString('hex')]);
        expect((await lengths).sort()).toEqual(expected.sort());
      });

      it('go on when there are more than the provider takes at once, and some are lost', async () => {
        const here = await acquaint(there, provider, HINTS);
        const { endpoint, toPeer } = here.kept;
        const many = Math.min(2 * endpoint.info.txAttr.size, 4096);
        const message = pattern(16);
        const sends = Array.from({ length: many }, () => endpoint.send(message, toPeer));
        expect((await Promise.all(sends)).length).toBe(many);
        const { promise } = await receive(there, 16);
        await send(here, [pattern(16, 9)]);
        // those before may have been kept for it
        expect((await promise).length).toBe(16);
      });

      it(`end a receive that is too short: ${tooShort}`, async () => {
        const here = await acquaint(there, provider, HINTS);
        const { promise } = await receive(there, 10);
        const ended = outcomes([promise], 'the receive');
        await send(here, [pattern(100)]);
        expect(await ended).toEqual([tooShort]);
        if (tooShort === 'fulfilled') expectSame((await promise).bytes, pattern(10));
        // and nothing else
        const { promise: next } = await receive(there, 10);
        await send(here, [pattern(8)]);
        expectSame((await next).bytes, pattern(8));
      });

      it(`end a send to where nobody is: ${toNobody}`, async () => {
        const here = await acquaint(there, provider, HINTS);
        const { endpoint } = here.kept;
        const toStranger = endpoint.addressVector.insert(addressOfNobody(provider, endpoint.address));
        const sending = here.run(({ kept }) => kept.endpoint.send(new Uint8Array(8), toStranger));
        expect(await outcomes([sending], 'the send')).toEqual([toNobody]);
        const { promise } = await receive(there, 8);
        await send(here, [pattern(8)]);
        expectSame((await promise).bytes, pattern(8));
      });

      itUnless(
        limit === Infinity && 'it has no limit worth the name',
        'fill what fits, and are refused beyond that',
        async () => {
          const here = await acquaint(there, provider, HINTS);
          const { endpoint, toPeer } = here.kept;
          expect(endpoint.info.epAttr.maxMsgSize).toBe(limit);
          const { promise } = await receive(there, limit);
          await send(here, [pattern(limit)]);
          expectSame((await promise).bytes, pattern(limit));
          expect(() => endpoint.send(new Uint8Array(limit + 1), toPeer)).toThrow(RangeError);
          const many = Array.from({ length: parts + 8 }, () => Buffer.alloc(1));
          expect(() => endpoint.send(many, toPeer)).toThrow(/more than the provider's limit of \d+ \(iovLimit\)/);
        },
      );
    });
  }
});

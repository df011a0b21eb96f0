import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { openEndpoint, openPair } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';
import { nextTurn, outcomes, rejection, within } from './helpers/within.js';

describe('cancelling through an AbortSignal', () => {
  overEachProvider((info) => {
    it('rejects at once with the reason of a signal that was aborted before, and posts nothing', async () => {
      const { left, right, toRight } = openPair(info);
      const reason = new Error('not wanted any more');
      const signal = AbortSignal.abort(reason);
      const buffer = Buffer.alloc(8);
      expect(await rejection(right.recv(buffer, -1, { signal }), 'the receive')).toBe(reason);
      expect(await rejection(left.send(buffer, toRight, { signal }), 'the send')).toBe(reason);
      expect(right.completionQueue.outstanding).toBe(0);
      const received = Buffer.alloc(8);
      await within(Promise.all([right.recv(received), left.send(pattern(8), toRight)]), 'a message');
      expectSame(received, pattern(8));
      expectSame(buffer, Buffer.alloc(8));
    });

    it('rejects a pending receive with the reason, and leaves the message to the next one', async () => {
      const { left, right, toRight } = openPair(info);
      const controller = new AbortController();
      const abandoned = Buffer.alloc(8);
      const receiving = right.trecv(abandoned, 3n, 0n, -1, { signal: controller.signal });
      await nextTurn();
      controller.abort();
      expect((await rejection(receiving, 'the receive')).name).toBe('AbortError');
      const received = Buffer.alloc(8);
      await within(Promise.all([right.trecv(received, 3n), left.tsend(pattern(8), toRight, 3n)]), 'a message');
      expectSame(received, pattern(8));
      expectSame(abandoned, Buffer.alloc(8));
    });

    it('cancels the one of several receives whose signal it is', async () => {
      const { left, right, toRight } = openPair(info);
      const controllers = Array.from({ length: 5 }, () => new AbortController());
      const receives = controllers.map(({ signal }, index) =>
        right.trecv(Buffer.alloc(8), BigInt(index), 0n, -1, { signal }),
      );
      controllers[2]!.abort();
      expect((await rejection(receives[2]!, 'the third receive')).name).toBe('AbortError');
      const others = [0, 1, 3, 4];
      const sends = others.map((index) => left.tsend(Buffer.alloc(8), toRight, BigInt(index)));
      const ended = await outcomes([...sends, ...others.map((index) => receives[index]!)], 'the others');
      expect(new Set(ended)).toEqual(new Set(['fulfilled']));
    });

    it('cancels many receives of one signal, and the endpoint goes on', async () => {
      const { left, right, toRight } = openPair(info);
      const controller = new AbortController();
      const options = { signal: controller.signal };
      const receives = Array.from({ length: 100 }, () => right.trecv(Buffer.alloc(8), 1n, 0n, -1, options));
      const ended = outcomes(receives, 'the receives');
      controller.abort();
      expect(new Set(await ended)).toEqual(new Set(['AbortError']));
      await within(Promise.all([right.trecv(Buffer.alloc(8), 1n), left.tsend(Buffer.alloc(8), toRight, 1n)]), 'more');
    });

    it('takes back sends that wait for room, without disturbing the order of the rest', async () => {
      const { left, right, toRight } = openPair(info);
      const controller = new AbortController();
      const count = 3001;
      const sends = Array.from({ length: count }, (_, index) => {
        const message = Buffer.alloc(4);
        message.writeUInt32LE(index);
        const options = index % 3 === 1 && index > count / 2 ? { signal: controller.signal } : {};
        return left.send(message, toRight, options);
      });
      const settled = outcomes(sends, 'the sends');
      controller.abort();
      const received: number[] = [];
      const buffer = Buffer.alloc(4);
      while (received.at(-1) !== count - 1) {
        await within(right.recv(buffer), `message ${received.length}`);
        received.push(buffer.readUInt32LE());
      }
      const ended = await settled;
      const delivered = ended.flatMap((outcome, index) => (outcome === 'fulfilled' ? [index] : []));
      // a send that the provider had already taken may have been delivered although its promise was rejected
      expect(received).toEqual([...received].sort((a, b) => a - b));
      expect(received).toEqual(expect.arrayContaining(delivered));
      expect(ended.filter((outcome) => outcome !== 'fulfilled' && outcome !== 'AbortError')).toEqual([]);
    });

    it('settles a large send that is aborted in flight, whichever way it ends', async () => {
      const { left, right, toRight } = openPair(info);
      await within(Promise.all([right.recv(Buffer.alloc(1)), left.send(Buffer.alloc(1), toRight)]), 'a first message');
      const controller = new AbortController();
      const sending = left.tsend(pattern(1 << 20), toRight, 1n, { signal: controller.signal });
      await nextTurn();
      controller.abort();
      expect(['fulfilled', 'AbortError']).toContain((await outcomes([sending], 'the send'))[0]);
      expect(left.completionQueue.outstanding).toBe(0);
    });

    it('does nothing when the operation has ended', async () => {
      const { left, right, toRight } = openPair(info);
      const controller = new AbortController();
      const options = { signal: controller.signal };
      await within(
        Promise.all([right.recv(Buffer.alloc(8), -1, options), left.send(Buffer.alloc(8), toRight, options)]),
        'a message',
      );
      const pending = right.recv(Buffer.alloc(8));
      controller.abort();
      await within(left.send(Buffer.alloc(8), toRight), 'another send');
      await within(pending, 'another receive');
    });

    it('does nothing when the endpoint has been closed', async () => {
      const endpoint = openEndpoint(info);
      const controller = new AbortController();
      const receiving = endpoint.recv(Buffer.alloc(8), -1, { signal: controller.signal });
      endpoint.close();
      controller.abort();
      expect(await outcomes([receiving], 'the receive')).toHaveLength(1);
    });
  });
});

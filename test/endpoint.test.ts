import { OPERATION_FLAGS, type Endpoint } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { openEndpoint, openPair } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';
import { nextTurn, within } from './helpers/within.js';

const MEBIBYTE = 1 << 20;

describe('Endpoint', () => {
  overEachProvider((info, provider) => {
    // rxd sends 1.3 KiB datagrams and waits for their acknowledgements
    const largest = provider === 'udp;ofi_rxd' ? MEBIBYTE : 8 * MEBIBYTE;
    const sizes = [...new Set([0, 1, 64, info.txAttr.injectSize, 4096, 65_536, MEBIBYTE, largest])];

    it.each(sizes)('carries %i bytes, whichever end is first', async (size) => {
      const { left, right, toRight, toLeft } = openPair(info);
      const sent = pattern(size, 3);
      const received = Buffer.alloc(size);
      const receiving = right.recv(received);
      const [completion] = await within(Promise.all([receiving, left.send(sent, toRight)]), 'receive posted first');
      expect(completion.length).toBe(size);
      expect(completion.flags & OPERATION_FLAGS.FI_RECV).toBe(OPERATION_FLAGS.FI_RECV);
      expect(completion).not.toHaveProperty('tag');
      expectSame(received, sent);

      const answer = pattern(size, 4);
      const sending = right.send(answer, toLeft);
      await nextTurn();
      const back = Buffer.alloc(size);
      const [second] = await within(Promise.all([left.recv(back), sending]), 'send posted first');
      expect(second.length).toBe(size);
      expectSame(back, answer);
    });

    it('says how long a message was that is shorter than its buffer, and leaves the rest alone', async () => {
      const { left, right, toRight } = openPair(info);
      const buffer = Buffer.alloc(100, 0xee);
      const [{ length }] = await within(
        Promise.all([right.recv(buffer), left.send(pattern(33), toRight)]),
        'a short message',
      );
      expect(length).toBe(33);
      expectSame(buffer.subarray(0, 33), pattern(33));
      expectSame(buffer.subarray(33), Buffer.alloc(67, 0xee));
    });

    it('matches tagged messages by tag, in their order', async () => {
      const { left, right, toRight } = openPair(info);
      const messages = [
        [1n, 'one'],
        [2n, 'two'],
        [1n, 'one again'],
      ] as const;
      for (const [tag, text] of messages) await within(left.tsend(Buffer.from(text), toRight, tag), text);
      const take = async (tag: bigint): Promise<string> => {
        const buffer = Buffer.alloc(16);
        const completion = await within(right.trecv(buffer, tag), `tag ${tag}`);
        return `${String(completion.tag)} ${buffer.toString('utf8', 0, completion.length)}`;
      };
      expect(await take(2n)).toBe('2 two');
      expect(await take(1n)).toBe('1 one');
      expect(await take(1n)).toBe('1 one again');
    });

    it('ignores the bits of a tag that the receiver masks, and says which tag came', async () => {
      const { left, right, toRight } = openPair(info);
      const high = 0x2bcd_0000_0000_0000n;
      const [wrong, any] = [Buffer.alloc(8), Buffer.alloc(8)];
      const exact = right.trecv(wrong, high | 7n);
      const masked = right.trecv(any, high, 0xffffn);
      await within(left.tsend(Buffer.from('masked'), toRight, high | 9n), 'the masked send');
      const completion = await within(masked, 'the masked receive');
      expect(completion.tag).toBe(high | 9n);
      expect(any.toString('utf8', 0, completion.length)).toBe('masked');
      await within(left.tsend(Buffer.from('exact'), toRight, high | 7n), 'the exact send');
      expect((await within(exact, 'the exact receive')).tag).toBe(high | 7n);
    });

    it('carries every bit of a tag that epAttr.memTagFormat leaves to the application', async () => {
      const { left, right, toRight } = openPair(info);
      const bits = BigInt(info.epAttr.memTagFormat).toString(2).length;
      expect(bits).toBeGreaterThanOrEqual(63);
      const tag = BigInt.asUintN(bits, 0xfedc_ba98_7654_3210n);
      const buffer = Buffer.alloc(1);
      const receiving = right.trecv(buffer, 0n, 2n ** 64n - 1n);
      await within(left.tsend(Buffer.from('x'), toRight, tag), 'the send');
      expect((await within(receiving, 'the receive')).tag).toBe(tag);
    });

    it('keeps tagged and untagged messages apart', async () => {
      const { left, right, toRight } = openPair(info);
      const [tagged, untagged] = [Buffer.alloc(8), Buffer.alloc(8)];
      const receives = [right.trecv(tagged, 0n, 2n ** 64n - 1n), right.recv(untagged)];
      await within(left.send(Buffer.from('untagged'), toRight), 'the untagged send');
      await within(left.tsend(Buffer.from('tagged!!'), toRight, 5n), 'the tagged send');
      await within(Promise.all(receives), 'both receives');
      expect([tagged.toString(), untagged.toString()]).toEqual(['tagged!!', 'untagged']);
    });

    it('keeps the order of messages', async () => {
      const { left, right, toRight } = openPair(info);
      const count = 100;
      const buffers = Array.from({ length: count }, () => Buffer.alloc(4));
      const receiving = Promise.all(buffers.map((buffer) => right.recv(buffer)));
      const sending = Promise.all(
        buffers.map((_, index) => {
          const message = Buffer.alloc(4);
          message.writeUInt32LE(index);
          return left.send(message, toRight);
        }),
      );
      await within(Promise.all([receiving, sending]), `${count} messages`);
      expect(buffers.map((buffer) => buffer.readUInt32LE())).toEqual(buffers.map((_, index) => index));
    });

    it('injects a message whose buffer may be written to at once', async () => {
      const { left, right, toRight } = openPair(info);
      const size = Math.min(info.txAttr.injectSize, 64);
      const message = pattern(size, 5);
      const received = Buffer.alloc(size);
      const receiving = right.recv(received);
      await within(left.inject(message, toRight), 'the injection');
      message.fill(0);
      expect((await within(receiving, 'the injected message')).length).toBe(size);
      expectSame(received, pattern(size, 5));
    });

    it('refuses to inject more than txAttr.injectSize', () => {
      const { left, toRight } = openPair(info);
      const size = info.txAttr.injectSize + 1;
      expect(() => left.inject(Buffer.alloc(size), toRight)).toThrow(
        new RangeError(`buffer: ${size} bytes are more than txAttr.injectSize of ${size - 1}`),
      );
    });

    it('sends to itself', async () => {
      const endpoint = openEndpoint(info);
      const self = endpoint.addressVector.insert(endpoint.address);
      const received = Buffer.alloc(5);
      const receiving = endpoint.recv(received);
      await within(Promise.all([receiving, endpoint.send(Buffer.from('hello'), self)]), 'a message to itself');
      expect(received.toString()).toBe('hello');
    });

    it('exchanges with several peers', async () => {
      const hub = openEndpoint(info);
      const spokes = Array.from({ length: 4 }, () => openEndpoint(info));
      const echo = async (spoke: Endpoint, index: number): Promise<string> => {
        const toHub = spoke.addressVector.insert(hub.address);
        const toSpoke = hub.addressVector.insert(spoke.address);
        const [request, answer] = [Buffer.alloc(8), Buffer.alloc(8)];
        const receiving = [hub.trecv(request, BigInt(index)), spoke.recv(answer)];
        await spoke.tsend(Buffer.from(`spoke ${index} `), toHub, BigInt(index));
        await receiving[0];
        await hub.send(request, toSpoke);
        await receiving[1];
        return answer.toString();
      };
      const answers = await within(Promise.all(spokes.map(echo)), 'four exchanges');
      expect(answers).toEqual(spokes.map((_, index) => `spoke ${index} `));
    });
  });
});

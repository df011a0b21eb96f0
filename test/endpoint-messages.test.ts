import { CompletionBatch, OPERATION_FLAGS, select, type Endpoint } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { openPair } from './helpers/pair.js';
import { dataOver, itUnless, overEachProvider, OVERRUNS_MULTI_RECEIVES } from './helpers/providers.js';
import { rejection, until, within } from './helpers/within.js';

interface Received {
  readonly offset: number;
  readonly length: number;
  readonly source: number;
  readonly isLast: boolean;
}

/** Reads completions of the batch door until there are `count`. */
async function readAll(endpoint: Endpoint, count: number, what: string): Promise<Received[]> {
  const batch = new CompletionBatch(8);
  const received: Received[] = [];
  const read = (): boolean => {
    const filled = endpoint.completionQueue.read(batch, 100);
    for (let i = 0; i < filled; i++) {
      expect(batch.error[i]).toBe(0);
      received.push({
        offset: batch.offset[i]!,
        length: batch.length[i]!,
        source: batch.source[i]!,
        isLast: (batch.flags[i]! & OPERATION_FLAGS.FI_MULTI_RECV) !== 0n,
      });
    }
    return received.length >= count;
  };
  await until(read, what);
  return received;
}

/** The same interface with more capabilities, or the reason why there is none. */
function withCapabilities(provider: string, caps: readonly ('FI_MULTI_RECV' | 'FI_SOURCE' | 'FI_DIRECTED_RECV')[]) {
  return select({ require: provider, hints: { caps: ['FI_MSG', 'FI_TAGGED', ...caps] } }).info;
}

describe('MessageEndpoint', () => {
  overEachProvider((info, provider) => {
    it('gathers several buffers into one message, and scatters it into others', async () => {
      const { left, right, toRight } = openPair(info);
      const sent = pattern(3000, 7);
      const parts = [sent.subarray(0, 1), sent.subarray(1, 1500), sent.subarray(1500)];
      const [first, second] = [Buffer.alloc(1000), Buffer.alloc(2500)];
      const receiving = right.recv([first, second]);
      await within(left.send(parts, toRight), 'the send');
      const { length } = await within(receiving, 'the receive');
      expect(length).toBe(3000);
      expectSame(Buffer.concat([first, second]).subarray(0, 3000), sent);

      const tagged = right.trecv([first, second], 5n);
      await within(left.tsend(parts, toRight, 5n), 'the tagged send');
      expect((await within(tagged, 'the tagged receive')).length).toBe(3000);
      expectSame(Buffer.concat([first, second]).subarray(0, 3000), sent);
    });

    it('refuses more buffers than the provider takes, none, and what is no buffer', () => {
      const { left, toRight } = openPair(info);
      const limit = info.txAttr.iovLimit;
      const many = Array.from({ length: limit + 1 }, () => Buffer.alloc(1));
      expect(() => left.send(many, toRight)).toThrow(RangeError);
      expect(() => left.send(many, toRight)).toThrow(
        `${limit + 1} buffers are more than the provider's limit of ${limit}`,
      );
      expect(() => left.send([], toRight)).toThrow(TypeError);
      expect(() => left.send([Buffer.alloc(1), 'x' as never], toRight)).toThrow(
        /^buffer\[1\]: expected an ArrayBufferView/,
      );
    });

    it('carries immediate data with messages of every kind, and refuses more than it carries', async () => {
      const { left, right, toRight } = openPair(info);
      const data = dataOver(provider);
      const buffer = Buffer.alloc(16);
      const expectData = async (receive: ReturnType<Endpoint['recv']>, what: string): Promise<void> => {
        const completion = await within(receive, what);
        expect(completion.data).toBe(data);
        expect(completion.length).toBe(4);
      };
      const plain = right.recv(buffer);
      await left.send(pattern(4), toRight, { data });
      await expectData(plain, 'send');
      const tagged = right.trecv(buffer, 1n);
      await left.tsend(pattern(4), toRight, 1n, { data });
      await expectData(tagged, 'tsend');
      const injected = right.recv(buffer);
      await left.inject(pattern(4), toRight, { data });
      await expectData(injected, 'inject');
      const taggedInjected = right.trecv(buffer, 2n);
      await left.tinject(pattern(4), toRight, 2n, { data });
      await expectData(taggedInjected, 'tinject');
      const tooMuch = { data: provider === 'efa' ? 1n << 32n : 1n << 64n };
      const refusal = /^options\.data: expected a bigint of up to \d\d bits \(domainAttr\.cqDataSize\), not \d+n$/;
      expect(() => left.send(buffer, toRight, tooMuch)).toThrow(refusal);
      expect(() => left.tinject(buffer, toRight, 2n, tooMuch)).toThrow(refusal);
    });

    it('injects a tagged message without data', async () => {
      const { left, right, toRight } = openPair(info);
      const buffer = Buffer.alloc(16);
      const receiving = right.trecv(buffer, 77n);
      await left.tinject(pattern(5), toRight, 77n);
      const completion = await within(receiving, 'the receive');
      expect(completion.length).toBe(5);
      expect(completion).not.toHaveProperty('data');
      expectSame(buffer.subarray(0, 5), pattern(5));
    });

    it('refuses flags that do not exist', () => {
      const { left, toRight } = openPair(info);
      const send = (): unknown => left.send(Buffer.alloc(1), toRight, { flags: ['FI_NONSENSE'] as never });
      expect(send).toThrow(/^options\.flags: 'FI_NONSENSE' is none of /);
      expect(() => left.send(Buffer.alloc(1), toRight, { data: -1n })).toThrow(/^options\.data: /);
    });

    const overruns = OVERRUNS_MULTI_RECEIVES.includes(provider);
    if (overruns) {
      it('refuses multi-receive buffers, which the provider overruns', () => {
        const { right } = openPair(info);
        const refusal = expect.objectContaining({ code: 'FI_EOPNOTSUPP' }) as unknown as Error;
        expect(() => right.postMultiRecv(Buffer.alloc(65_536), 1)).toThrow(refusal);
      });
    }

    itUnless(
      overruns && `${provider} overruns them`,
      'delivers many messages into one multi-receive buffer, and releases it when it is full',
      async () => {
        const { left, right, toRight } = openPair(withCapabilities(provider, ['FI_MULTI_RECV']));

        const room = Buffer.alloc((1 << 16) + 8);
        expect(right.postMultiRecv(room.subarray(8), 9)).toBe(true);
        // More than fit: those that come after the buffer was released wait for the next one.
        const messages = Array.from({ length: 40 }, (_, index) => pattern(2000 + index, index));
        const sends = messages.map((message) => left.send(message, toRight));
        const received: Received[] = [];
        while (received.at(-1)?.isLast !== true) received.push(...(await readAll(right, 1, 'a message in the buffer')));
        expect(received.length).toBeGreaterThan(1);
        expect(received.filter(({ isLast }) => isLast)).toHaveLength(1);
        // a buffer may be released in a completion of its own
        const arrived = received.filter(({ offset }) => offset >= 0);
        expect(arrived.length).toBeGreaterThanOrEqual(received.length - 1);
        for (const [index, { offset, length }] of arrived.entries()) {
          expect(offset).toBeGreaterThanOrEqual(8);
          expectSame(new Uint8Array(room.buffer, offset, length), messages[index]!);
        }
        expect(right.postMultiRecv(room.subarray(8), 10)).toBe(true);
        await readAll(right, 1, 'a message in the second buffer');
        left.close();
        await Promise.allSettled(sends);
      },
    );

    it('says who sent a message, where the provider can', async () => {
      const { left, right, toRight, toLeft } = openPair(withCapabilities(provider, ['FI_SOURCE']));
      const buffer = Buffer.alloc(8);
      expect(right.postRecv(buffer, 1)).toBe(true);
      await within(left.send(pattern(8), toRight), 'the send');
      const [received] = await readAll(right, 1, 'the message');
      expect(received!.source).toBe(toLeft);
    });

    // net 1.17 has FI_DIRECTED_RECV for tagged messages only
    it.skipIf(provider === 'net')('takes a message only from whom it was asked, where the provider can', async () => {
      const directed = withCapabilities(provider, ['FI_DIRECTED_RECV']);
      const { left, right, toRight, toLeft } = openPair(directed);
      const { left: stranger } = openPair(directed);
      const toRightFromStranger = stranger.addressVector.insert(right.address);
      right.addressVector.insert(stranger.address);
      const buffer = Buffer.alloc(8);
      const receiving = right.recv(buffer, toLeft);
      const unwanted = stranger.send(pattern(8, 66), toRightFromStranger);
      unwanted.catch(() => undefined);
      await within(left.send(pattern(8, 1), toRight), 'the send');
      await within(receiving, 'the receive');
      expectSame(buffer, pattern(8, 1));
    });
  });

  overEachProvider(
    (info) => {
      it('peeks at a message, claims it, and receives it; nothing to peek at is FI_ENOMSG', async () => {
        const { left, right, toRight } = openPair(info);
        const buffer = Buffer.alloc(64);
        const nothing = right.trecv(buffer, 3n, 0n, undefined, { flags: ['FI_PEEK'] });
        expect(await rejection(nothing, 'a peek at nothing')).toMatchObject({ code: 'FI_ENOMSG' });
        await within(left.tsend(pattern(20), toRight, 3n), 'the send');
        const receiving = right.trecv(buffer, 3n);
        expect((await within(receiving, 'the receive')).length).toBe(20);
      });
    },
    ['net', 'tcp;ofi_rxm', 'sockets', 'efa'],
  );
});

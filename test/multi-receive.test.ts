import { FabricError, select, type Info } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { openPair } from './helpers/pair.js';
import { overEachProvider, OVERRUNS_MULTI_RECEIVES } from './helpers/providers.js';
import { rejection, within } from './helpers/within.js';

const LONGEST = 3000;

function infoWithMultiReceive(provider: string): Info {
  return select({ require: provider, hints: { caps: ['FI_MSG', 'FI_TAGGED', 'FI_MULTI_RECV', 'FI_SOURCE'] } }).info;
}

describe('MultiReceive', () => {
  overEachProvider((info, provider) => {
    if (OVERRUNS_MULTI_RECEIVES.includes(provider)) {
      it('is refused, since the provider overruns the buffers', () => {
        const refusal = expect.objectContaining({ code: 'FI_EOPNOTSUPP', syscall: 'fi_recvmsg' }) as unknown as Error;
        expect(() => openPair(info).right.multiReceive()).toThrow(refusal);
      });
      return;
    }

    it('delivers more messages than its buffers hold, whole and in order, while they are released late', async () => {
      const { left, right, toRight, toLeft } = openPair(infoWithMultiReceive(provider));
      right.setOption('FI_OPT_MIN_MULTI_RECV', LONGEST);
      using inbox = right.multiReceive({ byteLength: 1 << 15, bufferCount: 3 });
      const count = 300;
      const sends = Array.from({ length: count }, (_, i) => left.send(pattern(1 + ((i * 37) % LONGEST), i), toRight));
      const held: { release(): void }[] = [];
      for (let i = 0; i < count; i++) {
        const { value: message } = await within(inbox.next(), `message ${i}`);
        expectSame(message!.bytes, pattern(1 + ((i * 37) % LONGEST), i));
        expect(message!.completion.source).toBe(toLeft);
        held.push(message!);
        if (held.length > 8) held.shift()!.release();
      }
      await within(Promise.all(sends), 'the sends');
    });

    it('does not receive into a buffer of which a message is held', async () => {
      const { left, right, toRight } = openPair(infoWithMultiReceive(provider));
      right.setOption('FI_OPT_MIN_MULTI_RECV', LONGEST);
      using inbox = right.multiReceive({ byteLength: LONGEST + 1, bufferCount: 1 });
      const sends = [1, 2].map((seed) => left.send(pattern(LONGEST, seed), toRight));
      const { value: first } = await within(inbox.next(), 'the first message');
      let hasSecond = false;
      const second = inbox.next().then(({ value }) => {
        hasSecond = true;
        return value!;
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(hasSecond).toBe(false);
      expectSame(first!.bytes, pattern(LONGEST, 1));
      first!.release();
      first!.release();
      expectSame((await within(second, 'the second message')).bytes, pattern(LONGEST, 2));
      await within(Promise.all(sends), 'the sends');
    });

    it('ends when it is closed, and lets the buffers go', async () => {
      const { right } = openPair(infoWithMultiReceive(provider));
      const inbox = right.multiReceive({ byteLength: 1 << 15 });
      const waiting = inbox.next();
      inbox.close();
      inbox.close();
      expect(await within(waiting, 'the end')).toEqual({ done: true, value: undefined });
      expect(await inbox.next()).toEqual({ done: true, value: undefined });
      // a provider that cannot cancel is given up after a second
      await within(
        (async () => {
          while (right.completionQueue.outstanding > 0) await new Promise((resolve) => setTimeout(resolve, 5));
        })(),
        'the cancelled receives',
      );
    });

    it('throws when the endpoint is closed', async () => {
      const { right } = openPair(infoWithMultiReceive(provider));
      const inbox = right.multiReceive({ byteLength: 1 << 15 });
      const waiting = inbox.next();
      right.close();
      expect(await rejection(waiting, 'the message')).toMatchObject({ code: 'FI_ECANCELED', syscall: 'fi_recvmsg' });
      expect(await inbox.next()).toEqual({ done: true, value: undefined });
      expect(() => right.multiReceive()).toThrow(FabricError);
    });

    it('checks its options, and is no flag of a plain receive', () => {
      const { right } = openPair(infoWithMultiReceive(provider));
      expect(() => right.multiReceive({ byteLength: 0 })).toThrow(
        new RangeError('options.byteLength: expected a positive integer, not 0'),
      );
      expect(() => right.multiReceive({ bufferCount: 1.5 })).toThrow(RangeError);
      if (provider === 'efa') {
        // the provider says FI_EINVAL, and no more
        right.setOption('FI_OPT_MIN_MULTI_RECV', LONGEST);
        expect(() => right.multiReceive({ byteLength: LONGEST - 1 })).toThrow(
          /It has 2999 bytes, and the endpoint's FI_OPT_MIN_MULTI_RECV is 3000/,
        );
      }
      expect(() => right.recv(Buffer.alloc(64), undefined, { flags: ['FI_MULTI_RECV'] })).toThrow(
        /^options\.flags: FI_MULTI_RECV completes many times/,
      );
      expect(right.completionQueue.outstanding).toBe(0);
    });
  });
});

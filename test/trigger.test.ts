import { Counter, MemoryRegion, type Endpoint } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { infoWith, openEnd, overProvidersWith, refusal, soon, type End } from './helpers/memory-pair.js';

/** Two ends in one process; the left one has a counter that counts nothing by itself. */
function openPair(info: ReturnType<typeof infoWith>): {
  left: End;
  right: End;
  toRight: number;
  toLeft: number;
  counter: Counter;
} {
  const left = openEnd(info);
  const right = openEnd(info);
  return {
    left,
    right,
    toRight: left.endpoint.addressVector.insert(right.endpoint.address),
    toLeft: right.endpoint.addressVector.insert(left.endpoint.address),
    counter: new Counter(left.domain),
  };
}

/** Whether a promise is pending, after whatever was under way had its time. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  const later = new Promise((resolve) => setTimeout(resolve, 50, pending));
  return (await Promise.race([promise, later])) === pending;
}

describe('a triggered operation', () => {
  overProvidersWith(['FI_TRIGGER', 'FI_RMA', 'FI_ATOMIC'], (info) => {
    it.each([
      [
        'send',
        (endpoint: Endpoint, to: number, counter: Counter, message: Buffer) =>
          endpoint.send(message, to, { trigger: { counter, threshold: 2 } }),
      ],
      [
        'tsend',
        (endpoint: Endpoint, to: number, counter: Counter, message: Buffer) =>
          endpoint.tsend(message, to, 7n, { trigger: { counter, threshold: 2 } }),
      ],
      [
        'send of two buffers',
        (endpoint: Endpoint, to: number, counter: Counter, message: Buffer) =>
          endpoint.send([message.subarray(0, 10), message.subarray(10)], to, { trigger: { counter, threshold: 2 } }),
      ],
    ])('%s: begins when the counter is there', async (name, send) => {
      const { left, right, toRight, counter } = openPair(info);
      const message = pattern(100);
      const received = Buffer.alloc(100);
      const receiving = name === 'tsend' ? right.endpoint.trecv(received, 7n) : right.endpoint.recv(received);
      const sending = send(left.endpoint, toRight, counter, message);
      counter.add(1);
      expect(await isPending(sending)).toBe(true);
      expect(await isPending(receiving)).toBe(true);
      counter.add(1);
      await soon(sending, 'the send');
      expect((await soon(receiving, 'the message')).length).toBe(100);
      expectSame(received, message);
    });

    it.each(['recv', 'trecv'] as const)('%s: takes no message before', async (kind) => {
      const { left, right, toLeft, counter } = openPair(info);
      const [early, late] = [Buffer.alloc(8), Buffer.alloc(8)];
      const { endpoint } = left;
      const trigger = { counter, threshold: 1 };
      const waiting =
        kind === 'recv'
          ? endpoint.recv(late, undefined, { trigger })
          : endpoint.trecv(late, 7n, 0n, undefined, { trigger });
      const send = (text: string): Promise<unknown> =>
        kind === 'recv'
          ? right.endpoint.send(Buffer.from(text), toLeft)
          : right.endpoint.tsend(Buffer.from(text), toLeft, 7n);
      const first = kind === 'recv' ? endpoint.recv(early) : endpoint.trecv(early, 7n);
      await soon(Promise.all([send('message1'), first]), 'the first message');
      counter.add(1);
      await soon(Promise.all([send('message2'), waiting]), 'the second message');
      expect([early.toString(), late.toString()]).toEqual(['message1', 'message2']);
    });

    it('writes, reads and changes memory of a peer', async () => {
      const { left, right, toRight, counter } = openPair(info);
      const memory = new BigUint64Array(4);
      const remote = new MemoryRegion(right.domain, memory).remote();
      const { endpoint } = left;
      const [read, former, swapped] = [new BigUint64Array(4), new BigUint64Array(1), new BigUint64Array(1)];
      const at = (threshold: number, remoteOffset = 0): object => ({ trigger: { counter, threshold }, remoteOffset });
      const work = [
        endpoint.write(BigUint64Array.of(1n, 2n, 3n, 4n), toRight, remote, at(1)),
        endpoint.atomic('FI_SUM', BigUint64Array.of(10n), toRight, remote, at(2)),
        endpoint.fetchAtomic('FI_SUM', BigUint64Array.of(100n), former, toRight, remote, at(3, 8)),
        endpoint.compareAtomic(
          'FI_CSWAP',
          BigUint64Array.of(30n),
          BigUint64Array.of(3n),
          swapped,
          toRight,
          remote,
          at(4, 16),
        ),
        endpoint.read(read, toRight, remote, at(5)),
      ];
      expect(await isPending(Promise.any(work))).toBe(true);
      const states = ['1,2,3,4', '11,2,3,4', '11,102,3,4', '11,102,30,4'];
      for (const [index, done] of work.entries()) {
        counter.add(1);
        await soon(done, `operation ${index + 1}`);
        // a write has left when it is complete; the operation that returns something after it is there
        if (index >= 2) expect(memory.join()).toBe(states[Math.min(index, 3)]);
      }
      expect([former[0], swapped[0], read.join()]).toEqual([2n, 3n, states[3]]);
    });

    it('begins at once when the counter is there already, and in the order of the thresholds', async () => {
      const { left, right, toRight, counter } = openPair(info);
      counter.add(5);
      const received = [1, 2, 3].map(() => Buffer.alloc(1));
      const receiving = received.map((buffer) => right.endpoint.recv(buffer));
      const send = (byte: number, threshold: number): Promise<unknown> =>
        left.endpoint.send(Buffer.of(byte), toRight, { trigger: { counter, threshold } });
      await soon(send(1, 5), 'the one that is due');
      const later = [send(2, 6), send(3, 7)];
      counter.add(1);
      await soon(later[0]!, 'the next');
      expect(await isPending(later[1]!)).toBe(true);
      counter.add(1);
      await soon(Promise.all([...later, ...receiving]), 'all');
      expect(received.map((buffer) => buffer[0])).toEqual([1, 2, 3]);
    });

    it('answers a message when it has come, by the counter of its own endpoint', async () => {
      const left = openEnd(info);
      const right = openEnd(info, { counters: (domain) => ({ recv: new Counter(domain) }) });
      const toRight = left.endpoint.addressVector.insert(right.endpoint.address);
      const toLeft = right.endpoint.addressVector.insert(left.endpoint.address);
      const answer = Buffer.alloc(6);
      const counter = right.counters.recv!;
      const answering = right.endpoint.send(Buffer.from('answer'), toLeft, { trigger: { counter, threshold: 1 } });
      const asking = right.endpoint.recv(Buffer.alloc(8));
      const answered = left.endpoint.recv(answer);
      expect(await isPending(answering)).toBe(true);
      await soon(left.endpoint.send(Buffer.from('question'), toRight), 'the question');
      await soon(Promise.all([asking, answering, answered]), 'the answer');
      expect(answer.toString()).toBe('answer');
    });

    it('is cancelled with its endpoint, whose counter goes along', async () => {
      const { left, toRight, counter } = openPair(info);
      const bound = openEnd(info, { counters: (domain) => ({ recv: new Counter(domain) }) });
      const own = bound.counters.recv!;
      const self = bound.endpoint.addressVector.insert(bound.endpoint.address);
      const waiting = [
        refusal(left.endpoint.send(Buffer.alloc(8), toRight, { trigger: { counter, threshold: 1 } }), 'the send'),
        refusal(bound.endpoint.send(Buffer.alloc(8), self, { trigger: { counter: own, threshold: 1 } }), 'the other'),
      ];
      left.endpoint.close();
      bound.endpoint.close();
      for (const error of waiting) expect(await error).toMatchObject({ code: 'FI_ECANCELED' });
      expect([counter.closed, own.closed]).toEqual([true, true]);
      expect(() => {
        counter.add(1);
      }).toThrow(expect.objectContaining({ code: 'FI_EBADF' }) as Error);
    });

    it('is cancelled with its counter, unless it has begun', async () => {
      const { left, right, toRight, toLeft, counter } = openPair(info);
      const bound = openEnd(info, { counters: (domain) => ({ send: new Counter(domain) }) });
      const receiving = left.endpoint.recv(Buffer.alloc(8), undefined, { trigger: { counter, threshold: 1 } });
      const never = left.endpoint.send(Buffer.alloc(8), toRight, { trigger: { counter, threshold: 2 } });
      counter.add(1);
      counter.close();
      expect(await refusal(never, 'the send')).toMatchObject({ code: 'FI_ECANCELED', syscall: 'fi_trigger' });
      await soon(Promise.all([right.endpoint.send(Buffer.alloc(8), toLeft), receiving]), 'the message');
      bound.counters.send!.close();
      expect(bound.endpoint.closed).toBe(true);
    });

    it('is given up on a signal', async () => {
      const { left, toRight, counter } = openPair(info);
      const signal = AbortSignal.timeout(5);
      const sending = left.endpoint.send(Buffer.alloc(8), toRight, { trigger: { counter, threshold: 1 }, signal });
      expect((await refusal(sending, 'the send')).name).toBe('TimeoutError');
    });

    it('needs a counter of its own', async () => {
      const { left, right, toRight, counter } = openPair(info);
      const busy = expect.objectContaining({
        code: 'FI_EBUSY',
        hint: expect.stringContaining('another') as string,
      }) as Error;
      const send = (trigger: unknown) => () =>
        left.endpoint.send(Buffer.alloc(8), toRight, { trigger: trigger as never });
      const bound = openEnd(info, { counters: (domain) => ({ send: new Counter(domain) }) });
      expect(send({ counter: bound.counters.send, threshold: 1 })).toThrow(/another domain/);
      expect(send({ counter: {}, threshold: 1 })).toThrow(TypeError);
      expect(send({ counter })).toThrow(RangeError);
      expect(send({ counter, threshold: -1 })).toThrow(RangeError);
      expect(send(null)).toThrow(TypeError);
      expect(() => left.endpoint.send(Buffer.alloc(8), toRight, { flags: ['FI_TRIGGER'] })).toThrow(/options\.trigger/);
      expect(() => left.endpoint.send(Buffer.alloc(8), toRight, { flags: 1n << 62n })).toThrow(
        expect.objectContaining({ code: 'FI_EINVAL' }) as Error,
      );
      const ofRegion = new Counter(left.domain);
      new MemoryRegion(left.domain, Buffer.alloc(8), { counter: ofRegion });
      expect(send({ counter: ofRegion, threshold: 1 })).toThrow(busy);
      const sending = left.endpoint.send(Buffer.alloc(8), toRight, { trigger: { counter, threshold: 1 } });
      expect(() => new MemoryRegion(left.domain, Buffer.alloc(8), { counter })).toThrow(
        expect.objectContaining({ code: 'FI_EBUSY' }) as Error,
      );
      counter.add(1);
      await soon(Promise.all([sending, right.endpoint.recv(Buffer.alloc(8))]), 'the message');
      counter.close();
      expect(send({ counter, threshold: 1 })).toThrow(expect.objectContaining({ code: 'FI_EBADF' }) as Error);
    });
  });

  it('needs an endpoint that was opened for it', () => {
    const { left, toRight, counter } = openPair(infoWith('shm', []));
    expect(() => left.endpoint.send(Buffer.alloc(8), toRight, { trigger: { counter, threshold: 1 } })).toThrow(
      expect.objectContaining({
        code: 'FI_EOPNOTSUPP',
        hint: expect.stringContaining('FI_TRIGGER') as string,
      }) as Error,
    );
  });
});

/** Many operations of the batch door in one native call. */
import { CompletionBatch, FabricError, MemoryRegion, PostBatch, type CompletionQueue } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { openEndpoint, openPair } from './helpers/pair.js';
import { infoOf, overEachProvider } from './helpers/providers.js';
import { until } from './helpers/within.js';

const MANUAL = { progress: 'manual' } as const;

/** Reads `queue`, posting `posts`, and each of `others`, until `queue` has given so many contexts. */
async function complete(
  queue: CompletionQueue,
  posts: PostBatch,
  others: readonly CompletionQueue[],
  count: number,
): Promise<number[]> {
  const batch = new CompletionBatch(16);
  const contexts: number[] = [];
  await until(() => {
    const read = queue.read(batch, 0, posts);
    for (let i = 0; i < read; i++) {
      if (batch.error[i] !== 0) throw new Error(`failed: ${queue.strerror(batch.providerError[i]!)}`);
      contexts.push(batch.context[i]!);
    }
    for (const other of others) other.read(batch);
    return contexts.length >= count && posts.isPosted;
  }, `${count} completions`);
  return contexts;
}

describe('a PostBatch', () => {
  overEachProvider((info) => {
    it('posts what it has, in order, and again after rewind', async () => {
      const endpoint = openEndpoint(info, MANUAL);
      const self = endpoint.addressVector.insert(endpoint.address);
      const incoming = [Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(8)];
      const outgoing = [Buffer.from('plain'), Buffer.from('tagged'), Buffer.from('injected')];
      const posts = new PostBatch(6);
      endpoint.postRecv(incoming[0]!, 10, undefined, posts);
      endpoint.postTrecv(incoming[1]!, 7n, 0n, 11, undefined, posts);
      endpoint.postRecv(incoming[2]!, 12, undefined, posts);
      endpoint.postSend(outgoing[0]!, self, 20, posts);
      endpoint.postTsend(outgoing[1]!, self, 7n, 21, posts);
      expect(endpoint.postInject(outgoing[2]!, self, posts)).toBe(true);
      expect([posts.length, posts.position, posts.isPosted]).toEqual([6, 0, false]);
      for (let round = 0; round < 3; round++) {
        for (const buffer of incoming) buffer.fill(0);
        if (round > 0) posts.rewind();
        const contexts = await complete(endpoint.completionQueue, posts, [], 5);
        expect(contexts.sort((a, b) => a - b)).toEqual([10, 11, 12, 20, 21]);
        expect(posts.position).toBe(6);
        expect(incoming.map((buffer) => buffer.toString().replaceAll('\0', ''))).toEqual([
          'plain',
          'tagged',
          'injected',
        ]);
      }
    });

    it('goes on where the provider was full', async () => {
      const { left, right, toRight } = openPair(info, MANUAL);
      const count = 600;
      const message = Buffer.alloc(64, 1);
      const sends = new PostBatch(count);
      const receives = new PostBatch(count);
      for (let i = 0; i < count; i++) {
        left.postSend(message, toRight, i, sends);
        right.postRecv(Buffer.alloc(64), i, undefined, receives);
      }
      const batch = new CompletionBatch(64);
      const sent = new Set<number>();
      const received = new Set<number>();
      await until(() => {
        for (let n = left.completionQueue.read(batch, 0, sends); n > 0; n--) sent.add(batch.context[n - 1]!);
        for (let n = right.completionQueue.read(batch, 0, receives); n > 0; n--) received.add(batch.context[n - 1]!);
        return sent.size === count && received.size === count;
      }, 'every message');
      expect([sends.isPosted, receives.isPosted]).toEqual([true, true]);
    });
  });

  describe('in one process', () => {
    const info = infoOf('net');

    it('writes and reads memory of a peer', async () => {
      const rma = infoOf('net', { caps: ['FI_MSG', 'FI_RMA'] });
      const { left, right, toRight } = openPair(rma, MANUAL);
      const target = Buffer.alloc(64);
      const remote = new MemoryRegion(right.domain, target).remote();
      const back = Buffer.alloc(4);
      const posts = new PostBatch(2);
      left.postWrite(Buffer.from('here'), toRight, remote, 10, 1, posts);
      expect(await complete(left.completionQueue, posts, [right.completionQueue], 1)).toEqual([1]);
      await until(() => {
        right.completionQueue.read(new CompletionBatch(1));
        return target.subarray(10, 14).toString() === 'here';
      }, 'the write to arrive');
      posts.clear();
      left.postRead(back, toRight, remote, 10, 2, posts);
      expect(await complete(left.completionQueue, posts, [right.completionQueue], 1)).toEqual([2]);
      expect(back.toString()).toBe('here');
    });

    it('posts the first few, where rewind says so', async () => {
      const endpoint = openEndpoint(info, MANUAL);
      const self = endpoint.addressVector.insert(endpoint.address);
      const posts = new PostBatch(8);
      for (let i = 0; i < 4; i++) endpoint.postSend(Buffer.from([i]), self, i, posts);
      posts.rewind(2);
      for (let i = 0; i < 4; i++) endpoint.postRecv(Buffer.alloc(1), 100 + i);
      expect((await complete(endpoint.completionQueue, posts, [], 4)).sort()).toEqual([0, 1, 100, 101]);
      expect(posts.position).toBe(2);
      posts.clear();
      expect([posts.length, posts.isPosted]).toEqual([0, true]);
    });

    it('says which operation was refused, and keeps it', () => {
      const open = openEndpoint(info, MANUAL);
      const closed = openEndpoint(info, MANUAL);
      const posts = new PostBatch(2);
      open.postRecv(Buffer.alloc(1), 1, undefined, posts);
      closed.postRecv(Buffer.alloc(1), 2, undefined, posts);
      closed.close();
      const read = (): number => open.completionQueue.read(new CompletionBatch(1), 0, posts);
      for (let i = 0; i < 2; i++) {
        expect(read).toThrow(
          expect.objectContaining({
            message: expect.stringMatching(/^cannot post operation 1 of the batch, a recv: .*closed/) as string,
            code: 'FI_EBADF',
            syscall: 'fi_recv',
          }) as FabricError,
        );
      }
      expect(posts.position).toBe(1);
      posts.clear();
      expect(read()).toBe(0);
    });

    it('keeps its buffers, and refuses those that were transferred', () => {
      const endpoint = openEndpoint(info, MANUAL);
      const self = endpoint.addressVector.insert(endpoint.address);
      const bytes = new Uint8Array(16);
      const posts = new PostBatch(2);
      endpoint.postSend(Buffer.alloc(0), self, 0, posts);
      endpoint.postSend(bytes, self, 1, posts);
      posts.rewind();
      structuredClone(bytes, { transfer: [bytes.buffer] });
      expect(() => {
        posts.rewind();
      }).toThrow(new TypeError('buffer of operation 1: its ArrayBuffer is detached (it was transferred)'));
    });

    it('refuses what cannot be', () => {
      const endpoint = openEndpoint(info, MANUAL);
      const queue = endpoint.completionQueue;
      const posts = new PostBatch(1);
      const buffer = Buffer.alloc(1);
      for (const capacity of [0, 65537, 1.5, '1' as never]) {
        expect(() => new PostBatch(capacity)).toThrow(/^capacity: expected an integer from 1 to 65536/);
      }
      expect(() => endpoint.postRecv(buffer, -1, undefined, posts)).toThrow(/^context/);
      expect(() => endpoint.postRecv(buffer, 1, undefined, {} as never)).toThrow(/^batch: expected a PostBatch/);
      expect(() => queue.read(new CompletionBatch(1), 0, {} as never)).toThrow(/^posts: expected a PostBatch/);
      expect(posts.length).toBe(0);
      endpoint.postRecv(buffer, 1, undefined, posts);
      expect(() => endpoint.postRecv(buffer, 1, undefined, posts)).toThrow(
        new RangeError('batch: has room for 1 operations, and is full'),
      );
      for (const count of [-1, 2, 0.5]) {
        expect(() => {
          posts.rewind(count);
        }).toThrow(new RangeError(`count: expected an integer from 0 to 1, not ${count}`));
      }
    });
  });
});

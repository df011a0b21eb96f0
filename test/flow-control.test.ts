import { CompletionBatch } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { openPair } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';
import { nextTurn, until, within } from './helpers/within.js';

const COUNT = 3000;

function numbered(index: number, size = 8): Buffer {
  const message = Buffer.alloc(size, index);
  message.writeUInt32LE(index);
  return message;
}

describe('flow control', () => {
  overEachProvider((info, provider) => {
    it('takes thousands of sends before there is a receive, and loses none', async () => {
      const { left, right, toRight } = openPair(info);
      const sending = Promise.all(Array.from({ length: COUNT }, (_, index) => left.send(numbered(index), toRight)));
      const buffer = Buffer.alloc(8);
      for (let index = 0; index < COUNT; index++) {
        await within(right.recv(buffer), `message ${index}`);
        expect(buffer.equals(numbered(index)), `message ${index} in its place`).toBe(true);
      }
      await within(sending, 'the sends');
    });

    it('takes thousands of receives before there is a send, and fills them in order', async () => {
      const { left, right, toRight } = openPair(info);
      // sockets has a thread of its own for progress, which takes milliseconds for each message on a busy machine
      const count = provider === 'sockets' ? 500 : COUNT;
      const buffers = Array.from({ length: count }, () => Buffer.alloc(8));
      const receiving = Promise.all(buffers.map((buffer) => right.recv(buffer)));
      for (let index = 0; index < count; index++) await within(left.send(numbered(index), toRight), `send ${index}`);
      await within(receiving, 'the receives');
      expect(buffers.map((buffer) => buffer.readUInt32LE())).toEqual(buffers.map((_, index) => index));
    });

    it('keeps the order of sends and injections among each other', async () => {
      const { left, right, toRight } = openPair(info);
      // an injection has no completion by which it could be counted, and rxd loses what is beyond its txAttr.size
      const count = provider === 'udp;ofi_rxd' ? 500 : COUNT;
      const sending = Promise.all(
        Array.from({ length: count }, async (_, index) => {
          if (index % 2 === 0) await left.send(numbered(index), toRight);
          else await left.inject(numbered(index), toRight);
        }),
      );
      const received: number[] = [];
      const buffer = Buffer.alloc(8);
      while (received.length < count) {
        await within(right.recv(buffer), `message ${received.length}`);
        received.push(buffer.readUInt32LE());
      }
      await within(sending, 'the sends');
      expect(received).toEqual(received.map((_, index) => index));
    });

    it('keeps large and small messages apart under load in both directions', async () => {
      const { left, right, toRight, toLeft } = openPair(info);
      const size = (index: number): number => (index % 10 === 0 ? 50_000 : 8);
      const count = 300;
      const flow = async (from: typeof left, to: number, into: typeof left): Promise<void> => {
        const sending = Promise.all(
          Array.from({ length: count }, (_, index) => from.send(numbered(index, size(index)), to)),
        );
        for (let index = 0; index < count; index++) {
          const buffer = Buffer.alloc(50_000);
          const { length } = await within(into.recv(buffer), `message ${index}`);
          expect(buffer.subarray(0, length).equals(numbered(index, size(index))), `message ${index}`).toBe(true);
        }
        await within(sending, 'the sends');
      };
      await Promise.all([flow(left, toRight, right), flow(right, toLeft, left)]);
    });

    it('says false in the batch door when the provider is full, and true again after reading', async () => {
      const { left, right, toRight } = openPair(info, { progress: 'manual' });
      const batch = new CompletionBatch(64);
      const message = new Uint8Array(64);
      const into = new Uint8Array(64);
      let [taken, refused, sent, received, receives] = [0, 0, 0, 0, 0];
      await until(
        () => {
          for (let burst = 0; burst < 4000 && taken < COUNT; burst++) {
            if (!left.postSend(message, toRight, taken)) {
              refused++;
              break;
            }
            taken++;
          }
          while (receives < COUNT && receives - received < 16 && right.postRecv(into, receives)) receives++;
          sent += left.completionQueue.read(batch);
          for (let i = 0; i < batch.capacity; i++) expect(batch.error[i]).toBe(0);
          received += right.completionQueue.read(batch);
          return sent === COUNT && received === COUNT;
        },
        `${COUNT} messages`,
        20_000,
      );
      expect(refused).toBeGreaterThan(0);
    });

    it('does not starve the event loop', async () => {
      const { left, right, toRight } = openPair(info);
      const state = { done: false };
      const buffer = Buffer.alloc(1024);
      const receive = async (): Promise<void> => {
        while (!state.done) await Promise.race([right.recv(buffer), stopped]);
      };
      let stop = (): void => undefined;
      const stopped = new Promise<void>((resolve) => (stop = resolve));
      const send = async (): Promise<void> => {
        while (!state.done) await left.send(Buffer.alloc(1024), toRight);
      };
      const traffic = [receive(), send()];
      const longest = { turn: 0 };
      const end = performance.now() + 300;
      while (performance.now() < end) {
        const start = performance.now();
        await nextTurn();
        longest.turn = Math.max(longest.turn, performance.now() - start);
      }
      state.done = true;
      stop();
      left.close();
      right.close();
      await within(Promise.allSettled(traffic), 'the traffic to end');
      // a turn is meant to take a fraction of a millisecond; the rest is what a busy machine may add
      expect(longest.turn).toBeLessThan(250);
    });
  });
});

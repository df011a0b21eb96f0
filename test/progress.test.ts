import { CompletionBatch, type ProgressMode } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { isSanitized } from './helpers/child.js';
import { expectSame, pattern } from './helpers/bytes.js';
import { openPair } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';
import { within } from './helpers/within.js';

const modes: readonly ProgressMode[] = ['auto', 'spin', 'wait', 'manual'];

describe('progress', () => {
  overEachProvider((info) => {
    it.each(modes)('delivers in mode %s', async (progress) => {
      const { left, right, toRight, toLeft } = openPair(info, { progress });
      expect(left.completionQueue.progress).toBe(progress);
      const batch = new CompletionBatch(1);
      const reading =
        progress === 'manual' &&
        setInterval(() => {
          for (const { completionQueue } of [left, right]) completionQueue.read(batch, 100);
        }, 0);
      try {
        for (let round = 0; round < 20; round++) {
          const [there, back] = [Buffer.alloc(3000), Buffer.alloc(10)];
          const receiving = Promise.all([right.recv(there), left.recv(back)]);
          const sending = Promise.all([
            left.send(pattern(3000, round), toRight),
            right.send(pattern(10, round), toLeft),
          ]);
          await within(Promise.all([receiving, sending]), `round ${round}`);
          expectSame(there, pattern(3000, round));
          expectSame(back, pattern(10, round));
        }
      } finally {
        if (reading !== false) clearInterval(reading);
      }
    });

    it.each(['auto', 'wait'] as const)(
      'delivers in mode %s to a receiver that has long been asleep',
      async (progress) => {
        const { left, right, toRight } = openPair(info, { progress });
        await within(
          Promise.all([right.recv(Buffer.alloc(8)), left.send(Buffer.alloc(8), toRight)]),
          'a first message',
        );
        for (let round = 0; round < 3; round++) {
          const receiving = right.recv(Buffer.alloc(8));
          // longer than any spin budget: both queues sleep now
          await new Promise((resolve) => setTimeout(resolve, 60));
          const start = performance.now();
          await within(Promise.all([receiving, left.send(Buffer.alloc(8), toRight)]), `message ${round}`);
          expect(performance.now() - start, 'milliseconds to wake up').toBeLessThan(isSanitized ? 1000 : 200);
        }
      },
    );
  });
});

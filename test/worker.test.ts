import { describe, expect, it } from 'vitest';
import { startNode } from './helpers/child.js';
import { openEndpoint, openPair } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';
import { EndpointWorker, introduce } from './helpers/worker.js';
import { within } from './helpers/within.js';

const SIZE = 100_000;

describe('worker threads', () => {
  overEachProvider((info, provider) => {
    it('exchange messages, an endpoint each', async () => {
      const [one, two] = [new EndpointWorker(info), new EndpointWorker(info)];
      const [toTwo, toOne] = [await introduce(one, two), await introduce(two, one)];
      const results = await Promise.all([
        two.do<number>('receive', 20, SIZE),
        one.do<number>('receive', 20, 10),
        one.do('send', toTwo, 20, SIZE),
        two.do('send', toOne, 20, 10),
      ]);
      expect(results.slice(0, 2)).toEqual([20, 20]);
    });

    it('exchange messages with the main thread', async () => {
      const worker = new EndpointWorker(info);
      const here = openEndpoint(info);
      const toWorker = here.addressVector.insert(await worker.do<Uint8Array>('address'));
      const toHere = await worker.do<number>('connect', here.address);
      const received = Buffer.alloc(SIZE);
      const receiving = here.recv(received);
      await Promise.all([worker.do('send', toHere, 1, SIZE), within(receiving, 'the message of the worker')]);
      expect(received.equals(Buffer.alloc(SIZE, 0))).toBe(true);
      const counting = worker.do<number>('receive', 1, 4);
      await within(here.send(Buffer.alloc(4, 0), toWorker), 'the send to the worker');
      expect(await counting).toBe(1);
    });

    it('may be terminated in mid-transfer, and the other one goes on with a third', async () => {
      const [doomed, survivor] = [new EndpointWorker(info), new EndpointWorker(info)];
      const toSurvivor = await introduce(doomed, survivor);
      await introduce(survivor, doomed);
      await doomed.do('flood', toSurvivor, SIZE);
      await survivor.do('drain', 20, SIZE);
      await doomed.terminate();
      const third = new EndpointWorker(info);
      const [toThird, back] = [await introduce(survivor, third), await introduce(third, survivor)];
      const [arrived] = await Promise.all([
        third.do<number>('receive', 5, SIZE),
        survivor.do('send', toThird, 5, SIZE),
      ]);
      expect(arrived).toBe(5);
      const [returned] = await Promise.all([survivor.do<number>('receive', 5, 1000), third.do('send', back, 5, 1000)]);
      expect(returned).toBe(5);
    });

    it('may be terminated while they receive and send, one after the other', async () => {
      const { left, right, toRight } = openPair(info);
      for (let round = 0; round < 5; round++) {
        const worker = new EndpointWorker(info);
        const toHere = await worker.do<number>('connect', right.address);
        await worker.do('flood', toHere, SIZE);
        await worker.terminate();
        const message = within(right.recv(Buffer.alloc(8)), `the message of round ${round}`);
        await within(Promise.all([message, left.send(Buffer.alloc(8), toRight)]), `round ${round}`);
      }
    });

    it('may end by themselves with operations in flight', async () => {
      await using child = startNode('worker-exit', [provider]);
      const { code, signal, stdout, stderr } = await child.ended();
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
      expect(stdout).toBe('worker exit 3\n');
    });

    it('are ended in good order by process.exit in the main thread', async () => {
      await using child = startNode('worker-process-exit', [provider]);
      const { code, signal, stderr } = await child.ended();
      expect({ code, signal, stderr }).toEqual({ code: 9, signal: null, stderr: '' });
    });
  });
});

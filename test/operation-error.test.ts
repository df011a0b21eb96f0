/** What failed operations say, the same through both doors, and where errors without an operation go. */
import {
  AddressVector,
  CompletionBatch,
  CompletionQueue,
  Domain,
  Endpoint,
  Fabric,
  FabricError,
  type Info,
} from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { posted } from './helpers/batch.js';
import { openPair } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';
import { nextTurn, rejection } from './helpers/within.js';

/** Endpoints of one fabric that were given no event queue. */
function openTwo(info: Info): [Endpoint, Endpoint] {
  const fabric = new Fabric(info);
  onTestFinished(() => {
    fabric.close();
  });
  const domain = new Domain(fabric);
  const open = () =>
    new Endpoint(domain, {
      completionQueue: new CompletionQueue(domain),
      addressVector: new AddressVector(domain),
    });
  return [open(), open()];
}

describe('a failed operation', () => {
  // udp;ofi_rxd cuts a message that is too long, and says nothing
  overEachProvider(
    (info) => {
      it('gives a batch the error that its promise would have', async () => {
        const promises = openPair(info);
        const refused = rejection(promises.right.recv(new Uint8Array(8)), 'the receive');
        promises.left.send(new Uint8Array(16), promises.toRight).catch(() => undefined);
        const expected = (await refused) as FabricError;

        const { left, right, toRight } = openPair(info, { progress: 'manual' });
        const batch = new CompletionBatch(4);
        right.postRecv(new Uint8Array(8), 7);
        const queues = [left.completionQueue, right.completionQueue];
        await posted(queues, () => left.postSend(new Uint8Array(16), toRight, 1), 'the send');
        let error: FabricError | undefined;
        while (error === undefined) {
          const sent = left.completionQueue.read(batch);
          if (sent > 0) expect(left.completionQueue.errorOf(batch, 0)).toBeUndefined();
          const received = right.completionQueue.read(batch);
          if (received > 0) error = right.completionQueue.errorOf(batch, 0, 'reading a header');
          await nextTurn();
        }
        expect({ code: error.code, hint: error.hint }).toEqual({ code: expected.code, hint: expected.hint });
        expect(error.message).toMatch(/^reading a header: /);
      });
    },
    ['shm', 'net', 'tcp;ofi_rxm', 'sockets'],
  );

  overEachProvider((info) => {
    it('that is asked for wrongly is a typed error', () => {
      const { left } = openPair(info);
      const batch = new CompletionBatch(4);
      expect(() => left.completionQueue.errorOf(batch, 4)).toThrow(
        new RangeError('index: expected one of 4 entries, not 4'),
      );
      expect(() => left.completionQueue.errorOf({} as CompletionBatch, 0)).toThrow(TypeError);
    });

    it('is not the only one: every endpoint has an event queue, which those of a fabric share', () => {
      const [one, other] = openTwo(info);
      expect(one.eventQueue).toBeDefined();
      expect(one.eventQueue).toBe(other.eventQueue);
      one.close();
      expect(other.eventQueue!.closed).toBe(false);
      other.eventQueue!.close();
      expect(other.closed).toBe(true);
    });
  });
});

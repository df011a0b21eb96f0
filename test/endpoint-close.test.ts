import { AddressVector, CompletionQueue, Domain, Endpoint, Fabric, FabricError, type Info } from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEndpoint, openPair, type Pair } from './helpers/pair.js';
import { itUnless, overEachProvider } from './helpers/providers.js';
import { nextTurn, outcomes, rejection, within } from './helpers/within.js';

const MEBIBYTE = 1 << 20;

/** The usual set, one object at a time. */
function openSet(info: Info) {
  const fabric = new Fabric(info);
  onTestFinished(() => {
    fabric.close();
  });
  const domain = new Domain(fabric);
  const completionQueue = new CompletionQueue(domain);
  const addressVector = new AddressVector(domain);
  const endpoint = new Endpoint(domain, { completionQueue, addressVector });
  return { fabric, domain, completionQueue, addressVector, endpoint };
}

/** Receives that nobody answers, and sends that nobody receives, of which the provider may finish some. */
function keepBusy({ left, right, toRight, toLeft }: Pair): Promise<unknown>[] {
  const work = [left, right].flatMap((endpoint) => [
    endpoint.recv(new Uint8Array(64)),
    endpoint.trecv(new Uint8Array(64), 99n),
  ]);
  for (let i = 0; i < 4; i++) {
    work.push(left.tsend(new Uint8Array(MEBIBYTE), toRight, 5n), right.tsend(new Uint8Array(MEBIBYTE), toLeft, 5n));
  }
  return work;
}

describe('Endpoint.close', () => {
  overEachProvider((info, provider) => {
    it('rejects what is in flight with FI_ECANCELED and a hint', async () => {
      const endpoint = openEndpoint(info);
      const receiving = endpoint.recv(new Uint8Array(8));
      const tagged = endpoint.trecv(new Uint8Array(8), 1n);
      endpoint.close();
      const error = await rejection(receiving, 'the receive');
      expect(error).toBeInstanceOf(FabricError);
      expect(error).toMatchObject({ code: 'FI_ECANCELED', errno: 125, syscall: 'fi_recv' });
      expect((error as { hint?: string }).hint).toMatch(/closed/);
      expect(await rejection(tagged, 'the tagged receive')).toMatchObject({
        code: 'FI_ECANCELED',
        syscall: 'fi_trecv',
      });
    });

    it('rejects sends that the provider has not taken yet with FI_ECANCELED', async () => {
      const { left, toRight } = openPair(info);
      const sends = Array.from({ length: 2000 }, () => left.tsend(new Uint8Array(64), toRight, 1n));
      left.close();
      const ended = new Set(await outcomes(sends, 'the sends'));
      expect(ended).toContain('FI_ECANCELED');
      ended.delete('fulfilled');
      expect([...ended]).toEqual(['FI_ECANCELED']);
    });

    it.each([0, 1, 2, 5])('settles every operation, with transfers %i turns old', async (turns) => {
      const pair = openPair(info);
      const work = keepBusy(pair);
      const settled = outcomes(work, 'every operation');
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      pair.right.close();
      pair.left.close();
      expect(await settled).toHaveLength(work.length);
      expect(pair.left.completionQueue.outstanding + pair.right.completionQueue.outstanding).toBe(0);
    });

    it('may be called from inside the continuation of a completion', async () => {
      const pair = openPair(info);
      const { left, right, toRight } = pair;
      const closing = right.trecv(new Uint8Array(8), 7n).then(() => {
        right.close();
        left.close();
      });
      const others = [left.tsend(new Uint8Array(8), toRight, 7n), ...keepBusy(pair)];
      const settled = outcomes(others, 'the others');
      await within(closing, 'the close');
      expect(await settled).toHaveLength(others.length);
    });

    const servesOne = provider === 'efa' && 'an address vector of efa serves one endpoint';
    itUnless(servesOne, 'leaves an address vector that knew it to the endpoints that come after', async () => {
      const { domain, completionQueue, addressVector, endpoint: first } = openSet(info);
      for (const endpoint of [first, new Endpoint(domain, { completionQueue, addressVector })]) {
        addressVector.insert(endpoint.address);
        endpoint.close();
      }
      const left = new Endpoint(domain, { completionQueue, addressVector });
      const right = openEndpoint(info);
      const toRight = addressVector.insert(right.address);
      right.addressVector.insert(left.address);
      const buffer = new Uint8Array(8);
      const receiving = right.recv(buffer);
      await within(left.send(new Uint8Array(8).fill(7), toRight), 'the send');
      await within(receiving, 'the receive');
      expect(buffer).toEqual(new Uint8Array(8).fill(7));
    });

    if (provider === 'efa') {
      it('refuses an address vector that has served another, and says why', () => {
        const { domain, completionQueue, addressVector } = openSet(info);
        expect(() => new Endpoint(domain, { completionQueue, addressVector })).toThrow(
          expect.objectContaining({
            code: 'FI_ENOSYS',
            hint: 'With efa an address vector serves one endpoint: open another for each.',
          }) as Error,
        );
      });
    }

    it('lets the other end go on, which can talk to another peer', async () => {
      const { left, right, toRight } = openPair(info);
      await within(Promise.all([right.recv(new Uint8Array(8)), left.send(new Uint8Array(8), toRight)]), 'a message');
      const pending = left.recv(new Uint8Array(8));
      right.close();
      const third = openEndpoint(info);
      const toLeft = third.addressVector.insert(left.address);
      await within(Promise.all([pending, third.send(new Uint8Array(3), toLeft)]), 'a message from the third');
      expect((await pending).length).toBe(3);
    });

    it.each(['fabric', 'domain', 'completionQueue', 'addressVector', 'endpoint'] as const)(
      'happens when its %s is closed first, with operations in flight',
      async (first) => {
        const set = openSet(info);
        const { endpoint } = set;
        const self = endpoint.addressVector.insert(endpoint.address);
        const work = [
          endpoint.recv(new Uint8Array(8)),
          endpoint.tsend(new Uint8Array(8), self, 3n),
          endpoint.tsend(new Uint8Array(MEBIBYTE), self, 3n),
        ];
        const settled = outcomes(work, 'the operations');
        await nextTurn();
        set[first].close();
        expect(endpoint.closed).toBe(true);
        expect((await settled)[0]).toBe('FI_ECANCELED');
        for (const object of Object.values(set)) object.close();
        expect(Object.values(set).every((object) => object.closed)).toBe(true);
      },
    );
  });
});

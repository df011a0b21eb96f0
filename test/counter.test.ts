import { Counter, MemoryRegion } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { infoWith, openEnd, overProvidersWith, refusal, soon } from './helpers/memory-pair.js';

describe('Counter', () => {
  overProvidersWith(['FI_RMA'], (info) => {
    it('counts what its endpoint writes, reads and sends', async () => {
      const left = openEnd(info, {
        counters: (domain) => ({ write: new Counter(domain), read: new Counter(domain), send: new Counter(domain) }),
      });
      const right = openEnd(info, { counters: (domain) => ({ recv: new Counter(domain) }) });
      const { endpoint } = left;
      const toRight = endpoint.addressVector.insert(right.endpoint.address);
      const remote = new MemoryRegion(right.domain, Buffer.alloc(64)).remote();
      const receiving = right.endpoint.recv(new Uint8Array(8));
      const { write, read, send } = left.counters;
      for (let i = 0; i < 3; i++) await soon(endpoint.write(Buffer.alloc(8), toRight, remote), 'a write');
      await soon(endpoint.read(Buffer.alloc(8), toRight, remote), 'the read');
      await soon(Promise.all([endpoint.send(Buffer.alloc(8), toRight), receiving]), 'the message');
      expect(await soon(write!.wait(3), 'the writes')).toBe(3);
      expect(await soon(read!.wait(1), 'the read')).toBe(1);
      expect(await soon(send!.wait(1), 'the send')).toBe(1);
      expect(await soon(right.counters.recv!.wait(1), 'the receive')).toBe(1);
      expect(write!.readerr()).toBe(0);
    });

    it('can be added to, set, and waited for', async () => {
      const { domain } = openEnd(info);
      const counter = new Counter(domain);
      const waiting = counter.wait(10);
      counter.add(4);
      counter.add(6);
      expect(await soon(waiting, 'the count')).toBe(10);
      counter.set(3);
      expect(counter.read()).toBe(3);
    });

    it('stops waiting on a signal, a timeout, and its end', async () => {
      const { domain } = openEnd(info);
      const counter = new Counter(domain);
      const aborted = refusal(counter.wait(1, { signal: AbortSignal.timeout(5) }), 'the abort');
      expect((await aborted).name).toBe('TimeoutError');
      expect(await refusal(counter.wait(1, { timeout: 5 }), 'the timeout')).toMatchObject({ code: 'FI_ETIMEDOUT' });
      const ended = refusal(counter.wait(1), 'the close');
      counter.close();
      expect(await ended).toMatchObject({ code: 'FI_ECANCELED', syscall: 'fi_cntr_wait' });
      expect(() => counter.read()).toThrow(expect.objectContaining({ code: 'FI_EBADF' }) as Error);
    });

    it('tells a waiter of failures', async () => {
      const { domain } = openEnd(info);
      const counter = new Counter(domain);
      const waiting = refusal(counter.wait(1), 'the failure');
      counter.adderr(1);
      expect(await waiting).toMatchObject({ code: 'FI_EAVAIL' });
      expect(counter.readerr()).toBe(1);
      counter.seterr(0);
      expect(counter.readerr()).toBe(0);
    });

    it('refuses what is no count', () => {
      const counter = new Counter(openEnd(info).domain);
      for (const value of [-1, 0.5, Infinity, 1n, '1']) {
        expect(() => {
          counter.add(value as number);
        }).toThrow(RangeError);
        expect(() => counter.wait(value as number)).toThrow(RangeError);
      }
      expect(() => counter.wait(1, { timeout: -1 })).toThrow(RangeError);
    });

    it('closes in any order, with what it is bound to', () => {
      const end = openEnd(info, { counters: (domain) => ({ send: new Counter(domain) }) });
      end.counters.send!.close();
      expect(end.endpoint.closed).toBe(true);
    });
  });

  it('counts what peers write, bound to an endpoint or to a region', async () => {
    const info = infoWith('sockets', ['FI_RMA', 'FI_RMA_EVENT']);
    const left = openEnd(info).endpoint;
    const right = openEnd(info, { counters: (domain) => ({ remoteWrite: new Counter(domain) }) });
    const ofRegion = new Counter(right.domain);
    const watched = new MemoryRegion(right.domain, Buffer.alloc(8), { counter: ofRegion }).remote();
    const other = new MemoryRegion(right.domain, Buffer.alloc(8)).remote();
    const toRight = left.addressVector.insert(right.endpoint.address);
    for (const remote of [watched, other, watched]) await soon(left.write(Buffer.alloc(8), toRight, remote), 'a write');
    expect(await soon(ofRegion.wait(2), 'the region')).toBe(2);
    expect(await soon(right.counters.remoteWrite!.wait(3), 'the endpoint')).toBe(3);
  });

  it('belongs to a domain', () => {
    const info = infoWith('sockets', ['FI_RMA']);
    const foreign = new Counter(openEnd(info).domain);
    expect(() => openEnd(info, { counters: () => ({ send: foreign }) })).toThrow(/another domain/);
    expect(() => openEnd(info, { counters: () => ({ nonsense: foreign }) as never })).toThrow(TypeError);
    expect(() => new Counter({} as never)).toThrow(TypeError);
  });
});

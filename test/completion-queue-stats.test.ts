import { CompletionBatch, CompletionQueue, Domain, Fabric } from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEndpoint } from './helpers/pair.js';
import { infoOf, overEachProvider } from './helpers/providers.js';
import { until, within } from './helpers/within.js';

describe('CompletionQueue.stats', () => {
  overEachProvider((info) => {
    it('counts what mode auto does', async () => {
      const endpoint = openEndpoint(info);
      const queue = endpoint.completionQueue;
      const self = endpoint.addressVector.insert(endpoint.address);
      const before = queue.stats();
      expect([before.completions, before.spinMicroseconds]).toEqual([0, queue.hasDescriptor ? 500 : 2500]);
      for (let i = 0; i < 10; i++) {
        await within(Promise.all([endpoint.recv(Buffer.alloc(1)), endpoint.send(Buffer.alloc(1), self)]), 'a message');
      }
      const after = queue.stats();
      expect(after.completions).toBe(20);
      expect(after.polls - after.emptyPolls).toBeGreaterThan(0);
      expect(after.polls - after.emptyPolls).toBeLessThanOrEqual(20);
      expect(after.spins).toBeGreaterThan(0);
      // messages far apart: the queue would rather not spin for them, or finds that its descriptor tells nothing
      for (let round = 0; queue.stats().spinMicroseconds === 500; round++) {
        expect(round, 'rounds without a shorter spin').toBeLessThan(100);
        await new Promise((resolve) => setTimeout(resolve, 5));
        await within(Promise.all([endpoint.recv(Buffer.alloc(1)), endpoint.send(Buffer.alloc(1), self)]), 'a message');
      }
      await until(() => queue.stats().emptyPolls > before.emptyPolls, 'a poll that finds nothing');
    });
  });

  describe('in mode manual', () => {
    it('counts the polls of the application', () => {
      const { completionQueue } = openEndpoint(infoOf('net'), { progress: 'manual' });
      const batch = new CompletionBatch(1);
      for (let i = 0; i < 7; i++) completionQueue.read(batch);
      expect(completionQueue.stats()).toEqual({
        polls: 7,
        emptyPolls: 7,
        completions: 0,
        spins: 0,
        wakeUps: 0,
        timers: 0,
        spinMicroseconds: 0,
      });
      completionQueue.close();
      expect(() => completionQueue.stats()).toThrow(/closed/);
    });
  });

  describe('with spinMicroseconds', () => {
    it('starts from there', () => {
      const fabric = new Fabric(infoOf('net'));
      onTestFinished(() => {
        fabric.close();
      });
      const domain = new Domain(fabric);
      expect(new CompletionQueue(domain, { spinMicroseconds: 40 }).stats().spinMicroseconds).toBe(40);
      for (const spinMicroseconds of [-1, NaN, 10_000_001, '1' as never]) {
        expect(() => new CompletionQueue(domain, { spinMicroseconds })).toThrow(/^options\.spinMicroseconds: expected/);
      }
    });
  });
});

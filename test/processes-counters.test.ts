import {
  Counter,
  RemoteRegion,
  type Endpoint,
  type EndpointCounters,
  type Hints,
  type Info,
  type MemoryRegion,
} from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEnd, overProvidersWith, type End } from './helpers/memory-pair.js';
import { OtherProcess } from './helpers/other-process.js';
import { itUnless, wrongKeysObstacle } from './helpers/providers.js';
import { outcomes, within } from './helpers/within.js';

interface Kept {
  endpoint: Endpoint;
  region: MemoryRegion;
  counters: EndpointCounters;
  ofRegion: Counter;
}

const DELIVERED = { flags: ['FI_DELIVERY_COMPLETE'] } as const;
type Kind = keyof EndpointCounters;

/** An end here and one there, each with counters of these kinds; the one there has a region. */
async function meet(
  there: OtherProcess<Kept>,
  info: Info,
  provider: string,
  kinds: { here: readonly Kind[]; there: readonly Kind[] },
  hints: Hints,
): Promise<{ here: End; toThere: number; remote: RemoteRegion }> {
  const here = openEnd(info, {
    counters: (domain) => Object.fromEntries(kinds.here.map((kind) => [kind, new Counter(domain)])),
  });
  onTestFinished(() =>
    there.run(({ closeAll }) => {
      closeAll();
    }),
  );
  const { address, region } = await there.run(
    ({ fabric, infoOf, opened, kept }, name, wanted, counted, peer) => {
      const itsInfo = infoOf(name, wanted);
      const domain = new fabric.Domain(opened(new fabric.Fabric(itsInfo)), itsInfo);
      kept.counters = Object.fromEntries(counted.map((kind) => [kind, new fabric.Counter(domain)]));
      kept.endpoint = new fabric.Endpoint(domain, {
        completionQueue: new fabric.CompletionQueue(domain, { progress: 'spin' }),
        addressVector: new fabric.AddressVector(domain),
        counters: kept.counters,
      });
      kept.endpoint.addressVector.insert(peer);
      kept.endpoint.trecv(new Uint8Array(1), 0n).catch(() => undefined);
      kept.region = new fabric.MemoryRegion(domain, Buffer.alloc(100));
      return { address: kept.endpoint.address, region: kept.region.remote().toJSON() };
    },
    provider,
    hints,
    kinds.there,
    here.endpoint.address,
  );
  const toThere = here.endpoint.addressVector.insert(address);
  return { here, toThere, remote: RemoteRegion.fromJSON(region) };
}

/** Waits in the other process for a count. */
const wait = (there: OtherProcess<Kept>, kind: Kind, count: number): Promise<number> =>
  there.run(({ kept }, counter, threshold) => kept.counters[counter]!.wait(threshold, { timeout: 5000 }), kind, count);

describe('counters of two processes', () => {
  overProvidersWith(['FI_RMA'], (info, provider) => {
    const there = new OtherProcess<Kept>();
    const hints: Hints = { caps: ['FI_MSG', 'FI_TAGGED', 'FI_RMA'] };

    it('count what the one sends and the other receives', async () => {
      const kinds = { here: ['send', 'write', 'read'], there: ['recv'] } as const;
      const { here, toThere, remote } = await meet(there, info, provider, kinds, hints);
      const { endpoint, counters } = here;
      const receiving = there.run(async ({ kept }) => {
        await Promise.all([1, 2, 3].map(() => kept.endpoint.recv(Buffer.alloc(8))));
      });
      for (let i = 0; i < 3; i++) await within(endpoint.send(Buffer.alloc(8), toThere), 'a send');
      await receiving;
      for (let i = 0; i < 2; i++) await within(endpoint.write(Buffer.alloc(8), toThere, remote), 'a write');
      await within(endpoint.read(Buffer.alloc(8), toThere, remote), 'the read');
      expect([counters.send, counters.write, counters.read].map((counter) => counter!.read())).toEqual([3, 2, 1]);
      expect(await wait(there, 'recv', 3)).toBe(3);
    });

    // shm and rxd never say that it was refused, and only sockets counts it
    const isSilent = provider === 'shm' || provider === 'udp;ofi_rxd';
    const count = provider === 'sockets' ? 'count' : 'do not count';
    itUnless(wrongKeysObstacle(provider), `${count} a write that the peer refuses`, async () => {
      const kinds = { here: ['write'], there: [] } as const;
      const { here, toThere, remote } = await meet(there, info, provider, kinds, hints);
      const counter = here.counters.write!;
      const unknown = new RemoteRegion(remote.address, 9999n, 8);
      const ended = outcomes([here.endpoint.write(Buffer.alloc(8), toThere, unknown, DELIVERED)], 'the write');
      const waiting = outcomes([counter.wait(1, { timeout: isSilent ? 100 : 2000 })], 'the count');
      if (!isSilent) expect(await ended).toEqual([provider === 'sockets' ? 'FI_EACCES' : 'FI_ECANCELED']);
      expect([counter.read(), counter.readerr()]).toEqual([0, provider === 'sockets' ? 1 : 0]);
      if (provider === 'sockets') expect(await waiting).toEqual(['FI_EAVAIL']);
      else if (isSilent) expect(await waiting).toEqual(['FI_ETIMEDOUT']);
      counter.close();
      await Promise.all([waiting, ended]);
    });
  });

  overProvidersWith(['FI_RMA', 'FI_RMA_EVENT'], (info, provider) => {
    const there = new OtherProcess<Kept>();
    const hints: Hints = { caps: ['FI_MSG', 'FI_TAGGED', 'FI_RMA', 'FI_RMA_EVENT'] };
    const kinds = { here: [], there: ['remoteWrite', 'remoteRead'] } as const;

    // net counts the writes whose immediate data has it do something at all
    const onlyWithData = provider === 'net';
    it(`count what peers write${onlyWithData ? ' with immediate data' : ', and read'}`, async () => {
      const { here, toThere, remote } = await meet(there, info, provider, kinds, hints);
      const waiting = wait(there, 'remoteWrite', onlyWithData ? 1 : 5);
      for (let i = 0; i < 3; i++) {
        await within(here.endpoint.write(Buffer.alloc(8), toThere, remote, DELIVERED), 'a write');
      }
      await within(here.endpoint.injectWrite(Buffer.alloc(8), toThere, remote), 'the injected write');
      await within(here.endpoint.read(Buffer.alloc(8), toThere, remote), 'the read');
      await within(here.endpoint.write(Buffer.alloc(8), toThere, remote, { data: 3n }), 'the write with data');
      expect(await waiting).toBe(onlyWithData ? 1 : 5);
      const [writes, reads] = await there.run(({ kept: { counters } }) => [
        counters.remoteWrite!.read(),
        counters.remoteRead!.read(),
      ]);
      expect([writes, reads]).toEqual(onlyWithData ? [1, 0] : [5, 1]);
    });

    const name = provider === 'sockets' ? 'count what peers write to one region' : 'cannot be bound to a region';
    it(name, async () => {
      const { here, toThere, remote } = await meet(there, info, provider, kinds, hints);
      const binding = there.run(({ fabric, kept }) => {
        kept.ofRegion = new fabric.Counter(kept.endpoint.domain);
        const options = { counter: kept.ofRegion };
        return new fabric.MemoryRegion(kept.endpoint.domain, Buffer.alloc(8), options).remote().toJSON();
      });
      if (provider !== 'sockets') {
        expect(await outcomes([binding], 'the region')).toEqual(['FI_ENOSYS']);
        return;
      }
      const counted = RemoteRegion.fromJSON(await binding);
      const waiting = there.run(({ kept }) => kept.ofRegion.wait(2, { timeout: 5000 }));
      for (const region of [counted, remote, counted]) {
        await within(here.endpoint.write(Buffer.alloc(8), toThere, region), 'a write');
      }
      expect(await waiting).toBe(2);
      expect(await wait(there, 'remoteWrite', 3)).toBe(3);
    });
  });
});

import {
  AddressVectorSet,
  CollectiveGroup,
  CompletionQueue,
  Counter,
  getInfo,
  MemoryRegion,
  AddressVector,
  Endpoint,
  SharedReceiveContext,
  SharedTransmitContext,
  type Domain,
} from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { collectUntil } from './helpers/garbage.js';
import { infoWith, openEnd } from './helpers/memory-pair.js';
import { openEndpoint } from './helpers/pair.js';
import { within } from './helpers/within.js';

/** Collects whatever is unreachable now: an object made after it goes no earlier. */
async function collectBehind(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    let gone = false;
    const registry = new FinalizationRegistry(() => (gone = true));
    // in a function of its own, so that nothing here refers to it
    (() => {
      registry.register({}, undefined);
    })();
    await collectUntil(() => gone, 'the collector');
  }
}

const info = infoWith('sockets', ['FI_RMA', 'FI_RMA_EVENT']);

function openWithCounter(domain: Domain): Endpoint {
  return new Endpoint(domain, {
    completionQueue: new CompletionQueue(domain),
    addressVector: new AddressVector(domain),
    counters: { send: new Counter(domain) },
  });
}

describe('what an object needs, and nobody holds,', () => {
  it.each([
    ['a counter of an endpoint', openWithCounter],
    [
      'a counter of a region',
      (domain: Domain) => new MemoryRegion(domain, Buffer.alloc(8), { counter: new Counter(domain) }),
    ],
    [
      'a shared context of an endpoint',
      (domain: Domain) =>
        new Endpoint(domain, {
          completionQueue: new CompletionQueue(domain),
          addressVector: new AddressVector(domain),
          sharedTransmit: new SharedTransmitContext(domain),
        }),
    ],
  ])('stays open with it: %s', async (_what, open) => {
    const { domain } = openEnd(info);
    const object = open(domain);
    await collectBehind();
    expect(object.closed).toBe(false);
  });

  it('receives as long as its shared context is there: an endpoint', async () => {
    const { domain, endpoint } = openEnd(info);
    const completionQueue = new CompletionQueue(domain);
    const sharedReceive = new SharedReceiveContext(domain, completionQueue);
    const open = (): Buffer =>
      new Endpoint(domain, { completionQueue, addressVector: new AddressVector(domain), sharedReceive }).address;
    const address = open();
    await collectBehind();
    const receiving = sharedReceive.recv(Buffer.alloc(4));
    await within(endpoint.send(Buffer.from('here'), endpoint.addressVector.insert(address)), 'the send');
    expect(await within(receiving, 'the receive')).toMatchObject({ length: 4 });
  });

  const [collective] = getInfo(
    { caps: ['FI_COLLECTIVE', 'FI_MSG', 'FI_TAGGED'], fabricAttr: { provName: 'tcp;ofi_rxm' } },
    { node: '127.0.0.1', flags: 'FI_SOURCE' },
  );
  it.skipIf(collective === undefined)('stays open with it: the set of a group', async () => {
    const endpoint = openEndpoint(collective!);
    const { addressVector } = endpoint;
    const join = (): Promise<CollectiveGroup> =>
      CollectiveGroup.join(endpoint, new AddressVectorSet(addressVector, [addressVector.insert(endpoint.address)]));
    const group = await within(join(), 'joining');
    await collectBehind();
    expect(group.closed).toBe(false);
  });
});

import {
  CompletionQueue,
  ConnectedEndpoint,
  describe as describeInfo,
  Domain,
  Endpoint,
  EventQueue,
  Fabric,
  PassiveEndpoint,
  ScalableEndpoint,
  SharedReceiveContext,
  SharedTransmitContext,
  AddressVector,
  type InfoLike,
} from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectionInfo } from './helpers/connection.js';
import { openPair } from './helpers/pair.js';
import { infoOf, overEachProvider } from './helpers/providers.js';
import { within } from './helpers/within.js';

function opened<T extends { close(): void }>(object: T): T {
  onTestFinished(() => {
    object.close();
  });
  return object;
}

describe('an edited copy of an Info', () => {
  overEachProvider((info) => {
    it('opens what the Info does', async () => {
      const size = Math.min(info.rxAttr.size, 64);
      const edited = { ...info, rxAttr: { ...info.rxAttr, size } };
      const { left, right, toRight } = openPair(edited);
      expect(right.info.rxAttr.size).toBe(size);
      expect(right.fabric.info.rxAttr.size).toBe(size);
      const received = Buffer.alloc(5);
      await within(Promise.all([right.recv(received), left.send(Buffer.from('hello'), toRight)]), 'the message');
      expect(received.toString()).toBe('hello');
    });

    it('has a raw form and a text of its own once it is opened', () => {
      const size = Math.min(info.rxAttr.size, 64);
      const { info: held } = opened(Endpoint.open({ ...info, rxAttr: { ...info.rxAttr, size } }));
      expect((held.raw['rxAttr'] as { size: bigint }).size).toBe(BigInt(size));
      expect(Object.keys(held)).not.toContain('raw');
      expect(describeInfo(held)).toContain('fi_rx_attr');
    });

    it('may have taken the raw form along, which is not read', () => {
      const copy = { ...info, raw: info.raw };
      expect(opened(Endpoint.open(copy)).info.fabricAttr).toEqual(info.fabricAttr);
      expect(describeInfo(copy)).toBe(describeInfo(info));
    });
  });

  it('opens every kind of object', () => {
    const info: InfoLike = { ...infoOf('sockets') };
    const fabric = opened(new Fabric(info));
    const domain = new Domain(fabric, { ...info });
    const bindings = { completionQueue: new CompletionQueue(domain), addressVector: new AddressVector(domain) };
    expect(new Endpoint(domain, bindings, { ...info }).info.raw).toBeDefined();
    new SharedTransmitContext(domain, { ...info });
    new SharedReceiveContext(domain, bindings.completionQueue, { ...info });
    const scalable = new ScalableEndpoint(domain, bindings.addressVector, {}, { ...info });
    // what it was opened with can be edited again
    new ScalableEndpoint(domain, bindings.addressVector, {}, { ...scalable.info });
    const connected = { ...connectionInfo('sockets') };
    const other = opened(new Fabric(connected));
    const eventQueue = new EventQueue(other);
    new PassiveEndpoint(other, { eventQueue }, { ...connected });
    const connectable = new Domain(other);
    const completionQueue = new CompletionQueue(connectable);
    new ConnectedEndpoint(connectable, { completionQueue, eventQueue }, { ...connected });
  });

  it('is itself given back, and no copy, when it is not edited', () => {
    const info = infoOf('sockets');
    expect(opened(new Fabric(info)).info).toBe(info);
  });

  it('has every group of fields, and no others', () => {
    const info = infoOf('sockets');
    const open = (change: object) => () => opened(new Fabric({ ...info, ...change }));
    for (const group of ['txAttr', 'rxAttr', 'epAttr', 'domainAttr', 'fabricAttr']) {
      expect(open({ [group]: undefined })).toThrow(new RegExp(`info\\.${group}: is missing`));
    }
    expect(open({ nonsense: 1 })).toThrow(/info\.nonsense: no such field/);
    expect(open({ caps: ['FI_NONSENSE'] })).toThrow(TypeError);
    expect(() => new Fabric(null as never)).toThrow(TypeError);
    expect(() => new Fabric({} as never)).toThrow(/info\.txAttr: is missing/);
  });
});

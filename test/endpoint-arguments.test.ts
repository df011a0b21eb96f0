import {
  AddressVector,
  CompletionQueue,
  Domain,
  Endpoint,
  Fabric,
  getInfo,
  type EndpointBindings,
  type Info,
} from 'node-libfabric';
import { readdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEndpoint, openPair } from './helpers/pair.js';
import { infoOf } from './helpers/providers.js';
import { within } from './helpers/within.js';

const info = infoOf('tcp;ofi_rxm');
const bytes = Buffer.alloc(8);

const notIndexes = [NaN, -2, 1.5, 2 ** 31, 2 ** 53, Infinity, '0', 0n, undefined, null, {}, true];
const notContexts = [NaN, -1, 1.5, 2 ** 32, 2 ** 53, '1', 1n, undefined, null, {}];
const notTags = [NaN, -1, 1.5, 2 ** 53, 2n ** 64n, -1n, '1', undefined, null, {}, true];

/** As error messages show it. */
function shown(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return `'${value}'`;
  return typeof value === 'object' && value !== null ? 'an object ([object Object])' : String(value);
}

/** The error that a call throws at once: nothing may have been posted. */
function thrown(endpoint: Endpoint, call: () => unknown): Error {
  let error: unknown;
  try {
    call();
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(Error);
  expect(endpoint.completionQueue.outstanding).toBe(0);
  return error as Error;
}

function openDomain(): Domain {
  const fabric = new Fabric(info);
  onTestFinished(() => {
    fabric.close();
  });
  return new Domain(fabric);
}

describe('arguments of an Endpoint', () => {
  it.each(notIndexes)('cannot be an address of %s', (value) => {
    const { left } = openPair(info);
    const to = value as never;
    const calls: (() => unknown)[] = [
      () => left.send(bytes, to),
      () => left.tsend(bytes, to, 1n),
      () => left.inject(bytes, to),
      () => left.postSend(bytes, to, 1),
      () => left.postTsend(bytes, to, 1n, 1),
      ...(value === undefined
        ? []
        : [
            () => left.recv(bytes, to),
            () => left.trecv(bytes, 1n, 0n, to),
            () => left.postRecv(bytes, 1, to),
            () => left.postTrecv(bytes, 1n, 0n, 1, to),
          ]),
    ];
    for (const call of calls) {
      const error = thrown(left, call);
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toMatch(/^address: expected what AddressVector\.insert returned, not /);
    }
  });

  it('cannot send to any source', () => {
    const { left } = openPair(info);
    expect(() => left.send(bytes, AddressVector.ANY)).toThrow(RangeError);
    expect(() => left.postSend(bytes, AddressVector.ANY, 1)).toThrow(RangeError);
    expect(() => left.inject(bytes, AddressVector.ANY)).toThrow(RangeError);
  });

  it('cannot be an address that was never inserted, or has been removed', () => {
    const { left, toRight } = openPair(info);
    expect(() => left.send(bytes, 5)).toThrow(expect.objectContaining({ code: 'FI_EINVAL', syscall: 'fi_send' }));
    left.addressVector.remove(toRight);
    expect(() => left.tsend(bytes, toRight, 1n)).toThrow(expect.objectContaining({ code: 'FI_EINVAL' }));
    expect(() => left.inject(bytes, toRight)).toThrow(expect.objectContaining({ code: 'FI_EINVAL' }));
    expect(() => left.postSend(bytes, toRight, 1)).toThrow(expect.objectContaining({ code: 'FI_EINVAL' }));
  });

  it.each(notContexts)('cannot be a context of %s', (value) => {
    const { left, toRight } = openPair(info);
    const context = value as never;
    for (const call of [
      () => left.postSend(bytes, toRight, context),
      () => left.postRecv(bytes, context),
      () => left.postTsend(bytes, toRight, 1n, context),
      () => left.postTrecv(bytes, 1n, 0n, context),
    ]) {
      expect(thrown(left, call)).toEqual(
        new RangeError(`context: expected an unsigned 32-bit integer, not ${shown(value)}`),
      );
    }
  });

  it.each(notTags)('cannot be a tag or ignore of %s', (value) => {
    const { left, toRight } = openPair(info);
    const tag = value as never;
    const calls: [string, () => unknown][] = [
      ['tag', () => left.tsend(bytes, toRight, tag)],
      ['tag', () => left.trecv(bytes, tag)],
      ['tag', () => left.postTsend(bytes, toRight, tag, 1)],
      ['tag', () => left.postTrecv(bytes, tag, 0n, 1)],
      ['ignore', () => left.postTrecv(bytes, 1n, tag, 1)],
    ];
    if (value !== undefined) calls.push(['ignore', () => left.trecv(bytes, 1n, tag)]);
    for (const [name, call] of calls) {
      const error = thrown(left, call);
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toMatch(new RegExp(`^${name}: expected an unsigned`));
      expect(error.message).toContain(shown(value));
    }
  });

  it('may be the largest context and tag that there are', async () => {
    const { left, right, toRight } = openPair(info);
    const tag = 2n ** 64n - 1n;
    const receiving = right.trecv(Buffer.alloc(8), tag, 2n ** 64n - 1n);
    await within(left.tsend(bytes, toRight, tag), 'the send');
    expect((await within(receiving, 'the receive')).tag).toBe(tag);
    expect(left.postTrecv(Buffer.alloc(8), Number.MAX_SAFE_INTEGER, tag, 2 ** 32 - 1)).toBe(true);
  });

  it('are refused after close with FI_EBADF', () => {
    const { left, toRight } = openPair(info);
    left.close();
    for (const call of [
      () => left.send(bytes, toRight),
      () => left.recv(bytes),
      () => left.tsend(bytes, toRight, 1n),
      () => left.trecv(bytes, 1n),
      () => left.inject(bytes, toRight),
      () => left.postSend(bytes, toRight, 1),
      () => left.postRecv(bytes, 1),
      () => left.postTsend(bytes, toRight, 1n, 1),
      () => left.postTrecv(bytes, 1n, 0n, 1),
      () => left.address,
      () => left.addressVector.insert(Buffer.alloc(16)),
      () => left.addressVector.lookup(toRight),
      () => new Endpoint(left.domain, left),
      () => new CompletionQueue(left.domain),
      () => new AddressVector(left.domain),
      () => new Domain(left.fabric),
    ]) {
      expect(thrown(left, call)).toMatchObject({ name: 'FabricError', code: 'FI_EBADF' });
    }
    expect(left.ref().unref().closed).toBe(true);
  });
});

describe('opening an Endpoint', () => {
  it('refuses what is no Domain, CompletionQueue or AddressVector', () => {
    const { domain, completionQueue, addressVector } = openEndpoint(info);
    const bad: [string, () => unknown][] = [
      ['domain', () => new Endpoint({} as never, { completionQueue, addressVector })],
      ['domain', () => new Endpoint(completionQueue as never, { completionQueue, addressVector })],
      [
        'bindings.completionQueue',
        () => new Endpoint(domain, { completionQueue: addressVector as never, addressVector }),
      ],
      ['bindings.addressVector', () => new Endpoint(domain, { completionQueue } as EndpointBindings)],
      ['bindings', () => new Endpoint(domain, undefined as never)],
      ['domain', () => new CompletionQueue(42 as never)],
      ['domain', () => new AddressVector(null as never)],
      ['fabric', () => new Domain(Object.create(Fabric.prototype) as Fabric)],
    ];
    for (const [, open] of bad) expect(open).toThrow(TypeError);
    for (const [name, open] of bad.slice(0, 4)) expect(open).toThrow(new RegExp(`^${name}: expected a `));
  });

  it('refuses objects of another domain', () => {
    const { domain, completionQueue, addressVector } = openEndpoint(info);
    const other = openDomain();
    expect(() => new Endpoint(other, { completionQueue, addressVector })).toThrow(
      new TypeError('bindings.completionQueue: belongs to another domain'),
    );
    expect(() => new Endpoint(domain, { completionQueue, addressVector: new AddressVector(other) })).toThrow(
      new TypeError('bindings.addressVector: belongs to another domain'),
    );
  });

  it('refuses an interface that is not RDM, or wants what is not supported', () => {
    const messages = getInfo({ fabricAttr: { provName: 'tcp' }, epAttr: { type: 'FI_EP_MSG' } })[0]!;
    expect(() => Endpoint.open(messages)).toThrow(
      new TypeError(
        "info.epAttr.type: expected FI_EP_RDM or FI_EP_DGRAM, not 'FI_EP_MSG'; ConnectedEndpoint opens those",
      ),
    );
    const greedy: Info = { ...info, mode: ['FI_MSG_PREFIX'] };
    expect(() => Endpoint.open(greedy)).toThrow(/^info\.mode: provider tcp;ofi_rxm wants FI_MSG_PREFIX/);
  });

  it('closes what it had opened when it fails half-way', () => {
    const greedy: Info = { ...info, txAttr: { ...info.txAttr, size: 2 ** 40 } };
    const tryToOpen = (): void => {
      expect(() => Endpoint.open(greedy)).toThrow(/^cannot open an endpoint of provider tcp;ofi_rxm: /);
    };
    tryToOpen();
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 20; i++) tryToOpen();
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    expect(() => Endpoint.open({ ...info, fabricAttr: { ...info.fabricAttr, provName: 'nonsense' } })).toThrow(
      expect.objectContaining({ syscall: 'fi_fabric' }),
    );
  });

  it.each([undefined, null, 'tcp', 42, [], {}])('refuses an info of %s', (value) => {
    expect(() => Endpoint.open(value as never)).toThrow(TypeError);
  });

  it('refuses options that do not exist', () => {
    expect(() => Endpoint.open(info, { progress: 'eager' as never })).toThrow(
      new TypeError("options.progress: 'eager' is none of auto, spin, wait, manual"),
    );
    const domain = openDomain();
    for (const size of [-1, 1.5, NaN, 2 ** 32, '1']) {
      expect(() => new CompletionQueue(domain, { size: size as never })).toThrow(
        /^options\.size: expected an unsigned/,
      );
      expect(() => new AddressVector(domain, { count: size as never })).toThrow(
        /^options\.count: expected an unsigned/,
      );
    }
    expect(() => new AddressVector(domain, { type: 'FI_AV_LIST' as never })).toThrow(
      new TypeError("options.type: 'FI_AV_LIST' is none of FI_AV_UNSPEC, FI_AV_MAP, FI_AV_TABLE"),
    );
  });
});

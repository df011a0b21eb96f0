import { Domain, Fabric, MemoryRegion, RemoteRegion, type Info } from 'node-libfabric';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { infoWith, openEnd, openMemoryPair, overProvidersWith, refusal, soon } from './helpers/memory-pair.js';
import { collectUntil } from './helpers/garbage.js';
import { isOnSoftwareEfa, itUnless } from './helpers/providers.js';

function openDomain(info: Info): Domain {
  const fabric = new Fabric(info);
  onTestFinished(() => {
    fabric.close();
  });
  return new Domain(fabric);
}

describe('RemoteRegion', () => {
  const remote = new RemoteRegion(0x7fff_1234_5000n, 0xfedc_ba98_7654_3210n, 4096);

  it('travels as JSON and as bytes', () => {
    const text = JSON.stringify(remote);
    expect(text).toBe('{"address":"0x7fff12345000","key":"0xfedcba9876543210","length":4096}');
    for (const copy of [RemoteRegion.fromJSON(JSON.parse(text) as never), RemoteRegion.fromBytes(remote.toBytes())]) {
      expect([copy.address, copy.key, copy.length]).toEqual([remote.address, remote.key, remote.length]);
    }
  });

  it('travels with a raw key', () => {
    const raw = new RemoteRegion(0n, Buffer.from('0102030405060708090a', 'hex'), 10);
    for (const copy of [RemoteRegion.fromJSON(raw.toJSON()), RemoteRegion.fromBytes(raw.toBytes())]) {
      expect(Buffer.from(copy.rawKey!).toString('hex')).toBe('0102030405060708090a');
    }
  });

  it('can be sliced, but not beyond its end', () => {
    const part = remote.slice(96, 1000);
    expect([part.address, part.key, part.length]).toEqual([remote.address + 96n, remote.key, 1000]);
    expect(remote.slice(4096).length).toBe(0);
    expect(() => remote.slice(1, 4096)).toThrow(RangeError);
    expect(() => remote.slice(-1)).toThrow(RangeError);
    expect(() => remote.slice(0.5)).toThrow(RangeError);
  });

  it.each([
    [null],
    [{}],
    [{ address: '0x0', key: '0x0', length: -1 }],
    [{ address: '12', key: '0x0', length: 1 }],
    [{ address: '0xffffffffffffffff', key: '0x0', length: 2 }],
    [{ address: '0x0', key: 'zz', length: 1 }],
    [{ address: '0x0', key: '0x0', length: '1' }],
  ])('refuses %j', (json) => {
    expect(() => RemoteRegion.fromJSON(json as never)).toThrow(/TypeError|RangeError|expected|beyond/);
  });

  it('refuses bytes that it did not make', () => {
    const bytes = remote.toBytes();
    expect(() => RemoteRegion.fromBytes(bytes.subarray(1))).toThrow(RangeError);
    expect(() => RemoteRegion.fromBytes(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(RangeError);
    expect(() => RemoteRegion.fromBytes(Buffer.alloc(32))).toThrow(RangeError);
    expect(() => RemoteRegion.fromBytes('bytes' as never)).toThrow(TypeError);
  });
});

describe('MemoryRegion', () => {
  overProvidersWith(['FI_RMA'], (info, provider) => {
    it('has a key of its own', () => {
      const domain = openDomain(info);
      const regions = [1, 2, 3].map(() => new MemoryRegion(domain, Buffer.alloc(100)));
      expect(new Set(regions.map(({ key }) => key)).size).toBe(3);
      expect(regions[0]!.remote().length).toBe(100);
    });

    const choosesKeys = info.domainAttr.mrMode.includes('FI_MR_PROV_KEY');
    const noKeys = choosesKeys && `${provider} chooses the keys (FI_MR_PROV_KEY)`;
    itUnless(noKeys, 'takes a key that is free, and refuses one that is taken', () => {
      const domain = openDomain(info);
      expect(new MemoryRegion(domain, Buffer.alloc(1), { key: 77n }).key).toBe(77n);
      expect(() => new MemoryRegion(domain, Buffer.alloc(1), { key: 77n })).toThrow(
        expect.objectContaining({ code: 'FI_ENOKEY', syscall: 'fi_mr_regattr' }) as Error,
      );
    });

    itUnless(noKeys, 'goes around keys that the application has taken', () => {
      const domain = openDomain(info);
      const wanted = [1n, 2n, 3n].map((key) => new MemoryRegion(domain, Buffer.alloc(1), { key }));
      expect(wanted.map(({ key }) => key)).not.toContain(new MemoryRegion(domain, Buffer.alloc(1)).key);
    });

    it('refuses what cannot be registered', () => {
      const domain = openDomain(info);
      const register = (memory: unknown, options?: object) => () => new MemoryRegion(domain, memory as never, options);
      expect(register(Buffer.alloc(0))).toThrow(RangeError);
      expect(register([])).toThrow(RangeError);
      expect(register('bytes')).toThrow(TypeError);
      expect(register(null)).toThrow(TypeError);
      expect(register(new ArrayBuffer(8))).toThrow(TypeError);
      expect(register(Array.from({ length: 100 }, () => Buffer.alloc(1)))).toThrow(/mrIovLimit/);
      expect(register(Buffer.alloc(1), { access: ['FI_NONSENSE'] })).toThrow(TypeError);
      expect(register(Buffer.alloc(1), { key: 1n << 64n })).toThrow(choosesKeys ? /FI_MR_PROV_KEY/ : RangeError);
      expect(register(Buffer.alloc(1), { counter: {} })).toThrow(TypeError);
      expect(register({ interface: 'FI_HMEM_SYSTEM', address: 4096n, length: 1 })).toThrow(TypeError);
      expect(register({ interface: 'FI_HMEM_CUDA', address: 4096n, length: 1 })).toThrow(
        expect.objectContaining({ code: 'FI_EOPNOTSUPP' }) as Error,
      );
      expect(() => new MemoryRegion({} as never, Buffer.alloc(1))).toThrow(TypeError);
    });

    it('refuses to close under an operation, and drains', async () => {
      const { left, right, toRight } = openMemoryPair(info);
      const buffer = Buffer.alloc(100);
      const region = new MemoryRegion(right.domain, buffer);
      const apart = new MemoryRegion(right.domain, new Uint8Array(100));
      const receiving = right.recv(buffer);
      expect(region.inFlight).toBe(1);
      apart.close();
      expect(() => {
        region.close();
      }).toThrow(
        expect.objectContaining({ code: 'FI_EBUSY', hint: expect.stringContaining('1 operation') as string }) as Error,
      );
      const closing = region.closeWhenIdle();
      expect(region.closed).toBe(false);
      await soon(Promise.all([left.send(Buffer.alloc(10), toRight), receiving, closing]), 'the close');
      expect(region.closed).toBe(true);
    });

    it('stops waiting to drain when told to', async () => {
      const { endpoint, domain } = openEnd(info);
      const region = new MemoryRegion(domain, Buffer.alloc(100));
      endpoint.recv(region.bytes).catch(() => undefined);
      const error = await refusal(region.drained({ signal: AbortSignal.timeout(10) }), 'the drain');
      expect(error.name).toBe('TimeoutError');
      endpoint.close();
      await soon(region.drained(), 'the drain');
    });

    it('is closed with its domain, operations in flight or not', async () => {
      const { endpoint, domain } = openEnd(info);
      const region = new MemoryRegion(domain, Buffer.alloc(100));
      const receiving = refusal(endpoint.recv(region.bytes), 'the receive');
      domain.close();
      expect(region.closed).toBe(true);
      expect(await receiving).toMatchObject({ code: 'FI_ECANCELED' });
      expect(() => region.remote()).toThrow(expect.objectContaining({ code: 'FI_EBADF' }) as Error);
    });
  });
});

// of the kernel's pages, whichever provider: once is enough
describe.skipIf(isOnSoftwareEfa)('Domain.allocate (not again on efa: no provider takes part)', () => {
  const info = infoWith('sockets', ['FI_RMA']);

  it.each([4096, 2 ** 16, 2 ** 21])('gives memory aligned to %i bytes', (alignment) => {
    const region = openDomain(infoWith('shm', ['FI_RMA'])).allocate(10_000, { alignment });
    expect(region.bytes.byteLength).toBe(10_000);
    expect(region.bytes.every((byte) => byte === 0)).toBe(true);
    region.bytes.fill(7);
  });

  it('refuses sizes and alignments that cannot be', () => {
    const domain = openDomain(info);
    expect(() => domain.allocate(0)).toThrow(RangeError);
    expect(() => domain.allocate(2 ** 52)).toThrow(expect.objectContaining({ code: 'FI_ENOMEM' }) as Error);
    expect(() => domain.allocate(1, { alignment: 3 })).toThrow(RangeError);
    expect(() => domain.allocate(1, { hugePages: 1 as never })).toThrow(TypeError);
  });

  it('gives huge pages, or says that the kernel has none', () => {
    const domain = openDomain(info);
    try {
      expect(domain.allocate(1, { hugePages: true }).bytes.byteLength).toBe(1);
    } catch (error) {
      expect(error).toMatchObject({ code: 'FI_ENOMEM', hint: expect.stringContaining('nr_hugepages') as string });
    }
  });

  it.each(['collected', 'exit', 'in flight'])('unmaps its pages: %s', (how) => {
    const script = fileURLToPath(new URL('fixtures/allocate.mjs', import.meta.url));
    const child = spawnSync(process.execPath, ['--expose-gc', script, how], { encoding: 'utf8', timeout: 25_000 });
    expect([child.stdout, child.stderr, child.signal]).toEqual(['done\n', '', null]);
  });
});

describe('Domain.registrations', () => {
  // A provider that wants no registration takes one all the same, so that FI_MR_LOCAL can be had without its hardware.
  const plain = infoWith(isOnSoftwareEfa ? 'efa' : 'shm', ['FI_RMA']);
  const info: Info = isOnSoftwareEfa
    ? plain
    : { ...plain, domainAttr: { ...plain.domainAttr, mrMode: ['FI_MR_LOCAL'] } };

  it('registers each buffer once, and gives up the least recently used', async () => {
    const { endpoint, domain } = openEnd(info, { registrationLimit: 2 });
    const self = endpoint.addressVector.insert(endpoint.address);
    const buffers = [1, 2, 3].map(() => new Uint8Array(4096));
    const receive = new Uint8Array(4096);
    const exchange = (buffer: Uint8Array) =>
      soon(Promise.all([endpoint.recv(receive), endpoint.send(buffer, self)]), 'a message');
    await exchange(buffers[0]!);
    expect(domain.registrations).toMatchObject({ count: 2, bytes: 8192, misses: 2, evictions: 0, limit: 2 });
    // posts that the provider refuses for now are hits when they are tried again
    const { hits } = domain.registrations;
    await exchange(buffers[0]!);
    expect(domain.registrations).toMatchObject({ count: 2, misses: 2 });
    expect(domain.registrations.hits).toBeGreaterThanOrEqual(hits + 2);
    await exchange(buffers[1]!);
    await exchange(buffers[2]!);
    expect(domain.registrations).toMatchObject({ count: 2, bytes: 8192, evictions: 2 });
  });

  it('registers a backing store once for all views of it, and lets go of it with the last', async () => {
    const { endpoint, domain } = openEnd(info);
    const self = endpoint.addressVector.insert(endpoint.address);
    // in a function of its own, which keeps nothing
    await (async () => {
      const store = new ArrayBuffer(64_000);
      for (let i = 0; i < 4; i++) {
        const [from, into] = [new Uint8Array(store, 16_000 * i, 8000), new Uint8Array(store, 16_000 * i + 8000, 8000)];
        from.fill(i + 1);
        await soon(Promise.all([endpoint.recv(into), endpoint.send(from, self)]), 'a message');
        expect(into.every((byte) => byte === i + 1)).toBe(true);
      }
      expect(domain.registrations).toMatchObject({ count: 1, bytes: 64_000, misses: 1 });
    })();
    await collectUntil(() => domain.registrations.count === 0, 'the registration of what was collected');
    expect(domain.registrations).toMatchObject({ bytes: 0, evictions: 0 });
  });

  it('uses a region instead, where one covers the buffer', async () => {
    const { endpoint, domain } = openEnd(info);
    const self = endpoint.addressVector.insert(endpoint.address);
    const region = domain.allocate(8192);
    const work = [endpoint.recv(region.bytes.subarray(0, 4096)), endpoint.send(region.bytes.subarray(4096), self)];
    await soon(Promise.all(work), 'a message');
    expect(domain.registrations).toMatchObject({ count: 0, misses: 0 });
    expect(domain.registrations.hits).toBeGreaterThanOrEqual(2);
    region.close();
    const again = [endpoint.recv(region.bytes.subarray(0, 4096)), endpoint.send(region.bytes.subarray(4096), self)];
    await soon(Promise.all(again), 'another message');
    expect(domain.registrations).toMatchObject({ count: 1, bytes: 8192, misses: 1 });
  });
});

/** The same memory from C, in both directions: test/peers/rma_peer.c. */
import { FabricError, MemoryRegion, RemoteRegion, type Endpoint } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { startPeer, type Child } from './helpers/child.js';
import { infoWith, openEnd } from './helpers/memory-pair.js';
import { within } from './helpers/within.js';

const PROVIDERS = ['shm', 'net', 'tcp;ofi_rxm', 'udp;ofi_rxd', 'sockets'];
const DATA = 0xfedc_ba98_7654_3210n;
const DELIVERED = { flags: ['FI_DELIVERY_COMPLETE'] } as const;

interface Meeting {
  readonly endpoint: Endpoint;
  readonly peer: Child;
  readonly toPeer: number;
  /** The C program's memory. */
  readonly remote: RemoteRegion;
  /** Memory here, which it was told of. */
  readonly own: Buffer;
  /** Has it do something. @returns what it says. */
  readonly tell: (line: string) => Promise<string>;
}

async function meet(provider: string, kind: 'rma' | 'atomic', peer: Child): Promise<Meeting> {
  const caps = kind === 'rma' ? (['FI_RMA'] as const) : (['FI_RMA', 'FI_ATOMIC'] as const);
  const { endpoint, domain } = openEnd(infoWith(provider, caps));
  // keeps this end looking, where the provider leaves progress to it
  endpoint.trecv(new Uint8Array(1), 0n).catch(() => undefined);
  const toPeer = endpoint.addressVector.insert(Buffer.from(await peer.line(), 'hex'));
  const tell = (line: string): Promise<string> => {
    peer.write(line);
    return peer.line();
  };
  const [, key, length] = (await tell(endpoint.address.toString('hex'))).split(' ');
  const remote = new RemoteRegion(0n, BigInt(key!), Number(length));
  const own = Buffer.alloc(1 << 20);
  const region = new MemoryRegion(domain, own).remote();
  expect(await tell(`remote ${region.address} ${region.key}`)).toBe('done');
  return { endpoint, peer, toPeer, remote, own, tell };
}

async function end({ peer }: Meeting): Promise<void> {
  peer.process.stdin.end();
  expect(await peer.ended()).toMatchObject({ code: 0, signal: null, stderr: '' });
}

/** Why a provider cannot, or undefined. */
function missing(provider: string, kind: 'rma' | 'atomic'): string | undefined {
  if (kind === 'atomic' && ['net', 'udp;ofi_rxd'].includes(provider)) {
    return 'it has no atomic operation, or none that is safe';
  }
  try {
    infoWith(provider, kind === 'rma' ? ['FI_RMA'] : ['FI_RMA', 'FI_ATOMIC']);
    return undefined;
  } catch (error) {
    if (error instanceof FabricError) return error.message;
    throw error;
  }
}

describe('A C program and an Endpoint', () => {
  for (const provider of PROVIDERS) {
    const noRma = missing(provider, 'rma');
    if (noRma === undefined) {
      it(`write and read each other's memory over ${provider}`, async () => {
        await using peer = startPeer('rma_peer', [provider, 'rma']);
        const meeting = await meet(provider, 'rma', peer);
        const { endpoint, toPeer, remote, own, tell } = meeting;
        for (const size of [8, 4096, 65_536]) {
          await within(endpoint.write(pattern(size, size), toPeer, remote, DELIVERED), 'the write');
          expect(await tell(`own ${size} ${size}`)).toBe('done');
          const back = Buffer.alloc(size);
          await within(endpoint.read(back, toPeer, remote), 'the read');
          expectSame(back, pattern(size, size));

          own.fill(0);
          expect(await tell(`write ${size} ${size + 1}`)).toBe('done');
          expectSame(own.subarray(0, size), pattern(size, size + 1));
          expect(own[size]).toBe(0);
          own.set(pattern(size, size + 2));
          expect(await tell(`read ${size} ${size + 2}`)).toBe('done');
        }
        await end(meeting);
      });

      it(`write with immediate data, which the other is told, over ${provider}`, async () => {
        await using peer = startPeer('rma_peer', [provider, 'rma']);
        const meeting = await meet(provider, 'rma', peer);
        const { endpoint, toPeer, remote, own, tell } = meeting;
        const told = endpoint.completionQueue.remoteWrite();
        expect(await tell(`writedata 5000 3 ${DATA}`)).toBe('done');
        expect((await within(told, 'the data')).data).toBe(DATA);
        expectSame(own.subarray(0, 5000), pattern(5000, 3));

        const writing = endpoint.write(pattern(5000, 4), toPeer, remote, { data: DATA - 1n });
        expect(await peer.line()).toBe(`written 0x${(DATA - 1n).toString(16)}`);
        expect(await tell('own 5000 4')).toBe('done');
        await within(writing, 'the write');
        await within(endpoint.injectWrite(pattern(32, 5), toPeer, remote, { data: 7n }), 'the injection');
        expect(await peer.line()).toBe('written 0x7');
        expect(await tell('own 32 5')).toBe('done');
        await end(meeting);
      });
    } else {
      it.skip(`write and read each other's memory over ${provider}: ${noRma}`);
    }

    const noAtomics = missing(provider, 'atomic');
    if (noAtomics !== undefined) {
      it.skip(`change each other's memory atomically over ${provider}: ${noAtomics}`);
      continue;
    }
    it(`change each other's memory atomically over ${provider}`, async () => {
      await using peer = startPeer('rma_peer', [provider, 'atomic']);
      const meeting = await meet(provider, 'atomic', peer);
      const { endpoint, toPeer, remote, own, tell } = meeting;
      const word = remote.slice(0, 8);
      const [former, words] = [new BigUint64Array(1), (value: bigint) => BigUint64Array.of(value)];
      await within(endpoint.atomic('FI_ATOMIC_WRITE', words(DATA), toPeer, word, DELIVERED), 'the write');
      expect(await tell('word')).toBe(`word ${DATA}`);
      await within(endpoint.fetchAtomic('FI_SUM', words(5n), former, toPeer, word), 'the sum');
      expect([former[0], await tell('word')]).toEqual([DATA, `word ${DATA + 5n}`]);
      for (const [comparand, result] of [
        [1n, DATA + 5n],
        [DATA + 5n, 42n],
      ] as const) {
        await within(
          endpoint.compareAtomic('FI_CSWAP', words(42n), words(comparand), former, toPeer, word),
          'the swap',
        );
        expect([former[0], await tell('word')]).toEqual([DATA + 5n, `word ${result}`]);
      }

      own.writeBigUInt64LE(DATA);
      expect(await tell('sum 11')).toBe(`former ${DATA}`);
      expect(own.readBigUInt64LE()).toBe(DATA + 11n);
      expect(await tell('swap 1 2')).toBe(`former ${DATA + 11n}`);
      expect(own.readBigUInt64LE()).toBe(DATA + 11n);
      expect(await tell(`swap ${DATA + 11n} 2`)).toBe(`former ${DATA + 11n}`);
      expect(own.readBigUInt64LE()).toBe(2n);
      await end(meeting);
    });
  }
});

/** The same memory from C, in both directions: test/peers/rma_peer.c. */
import { FabricError, MemoryRegion, RemoteRegion, type Endpoint } from 'node-libfabric';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { infoWith, openEnd, patterned, soon } from './helpers/memory-pair.js';

const PROGRAM = fileURLToPath(new URL('../build/peers/rma_peer', import.meta.url));

/** A process that does what it is told, one line each. */
async function startPeer(provider: string, endpoint: Endpoint, kind: 'rma' | 'atomic') {
  const child = spawn(PROGRAM, [provider, kind], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = async (): Promise<string> => String((await soon(lines.next(), 'a line of the peer')).value);
  const tell = async (text: string): Promise<string> => {
    child.stdin.write(`${text}\n`);
    return line();
  };
  const [, address] = (await line()).split(' ');
  const [, base, key, length] = (await line()).split(' ');
  expect(await tell(`peer ${endpoint.address.toString('hex')}`)).toBe('done');
  const toPeer = endpoint.addressVector.insert(Buffer.from(address!, 'hex'));
  const remote = new RemoteRegion(BigInt(`0x${base!}`), BigInt(`0x${key!}`), Number(length));
  return { tell, line, toPeer, remote };
}

describe('A C program and an Endpoint', () => {
  for (const provider of ['shm', 'net', 'tcp;ofi_rxm', 'udp;ofi_rxd', 'sockets']) {
    for (const kind of ['rma', 'atomic'] as const) {
      if (kind === 'atomic' && ['net', 'udp;ofi_rxd'].includes(provider)) {
        it.skip(`use each other's memory over ${provider} (atomic): it has no atomic operation, or none that is safe`);
        continue;
      }
      const caps = kind === 'rma' ? (['FI_RMA'] as const) : (['FI_RMA', 'FI_ATOMIC'] as const);
      try {
        infoWith(provider, caps);
      } catch (error) {
        if (!(error instanceof FabricError)) throw error;
        it.skip(`use each other's memory over ${provider} (${kind}): ${error.message}`);
        continue;
      }
      it(`use each other's memory over ${provider} (${kind})`, async () => {
        const { endpoint, domain } = openEnd(infoWith(provider, caps));
        // keeps this end looking, where the provider leaves progress to it
        endpoint.trecv(new Uint8Array(1), 0n).catch(() => undefined);
        const { tell, toPeer, remote } = await startPeer(provider, endpoint, kind);
        const target = Buffer.alloc(65_536);
        const own = new MemoryRegion(domain, target).remote();
        await tell(`remote ${own.address.toString(16)} ${own.key.toString(16)}`);

        if (kind === 'atomic') {
          const word = remote.slice(64, 8);
          await soon(endpoint.write(BigUint64Array.of(5n), toPeer, word), 'the write');
          const results = new BigUint64Array(1);
          await soon(endpoint.fetchAtomic('FI_SUM', BigUint64Array.of(37n), results, toPeer, word), 'the addition');
          await soon(endpoint.fetchAtomic('FI_ATOMIC_READ', undefined, results, toPeer, word), 'the reading');
          expect(results[0]).toBe(42n);
          target.writeBigUInt64LE(100n);
          expect(await tell('add 11')).toBe('former 100');
          expect(target.readBigUInt64LE()).toBe(111n);
          return;
        }
        const sent = patterned(65_536, 9);
        await soon(endpoint.write(sent, toPeer, remote, { remoteOffset: 1000 }), 'the write');
        const back = Buffer.alloc(65_536);
        await soon(endpoint.read(back, toPeer, remote, { remoteOffset: 1000 }), 'the read');
        expect(back.equals(sent)).toBe(true);
        expect(await tell('byte 1007')).toBe(`byte ${sent[7]!}`);

        await tell('fill 171');
        expect(await tell('write 60000')).toBe('done');
        expect(target.subarray(0, 60_000).every((byte) => byte === 171)).toBe(true);
        expect(target[60_000]).toBe(0);
        target.fill(205);
        expect(await tell('read 65536')).toBe('done');
        expect([await tell('local 0'), await tell('local 65535')]).toEqual(['byte 205', 'byte 205']);
      });
    }
  }
});

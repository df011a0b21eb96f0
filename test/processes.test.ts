import { describe, expect, it } from 'vitest';
import { startNode } from './helpers/child.js';
import { expectSame, pattern } from './helpers/bytes.js';
import { openEndpoint } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';
import { nextTurn, outcomes, within } from './helpers/within.js';

describe('two processes', () => {
  overEachProvider((info, provider) => {
    it('exchange messages of every size in both directions', async () => {
      const sizes = [0, 1, 64, 4096, 65_536, 1 << 20, 3];
      await using child = startNode('echo', [provider, String(sizes.length)]);
      const endpoint = openEndpoint(info);
      const peer = endpoint.addressVector.insert(Buffer.from(await child.line(), 'hex'));
      child.write(endpoint.address.toString('hex'));
      for (const [index, size] of sizes.entries()) {
        const echo = Buffer.alloc(size);
        const tag = BigInt(index * 2);
        const receiving = endpoint.trecv(echo, tag + 1n);
        await within(endpoint.tsend(pattern(size, index), peer, tag), `sending ${size} bytes`);
        expect((await within(receiving, `the echo of ${size} bytes`)).length).toBe(size);
        expectSame(echo, pattern(size, index));
      }
      child.write('done');
      const { code, signal, stderr } = await child.ended();
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    });

    it('are two: one that is killed in mid-transfer takes nobody with it', async () => {
      await using child = startNode('echo', [provider, '1000000']);
      const endpoint = openEndpoint(info);
      const peer = endpoint.addressVector.insert(Buffer.from(await child.line(), 'hex'));
      child.write(endpoint.address.toString('hex'));
      const exchange = async (): Promise<void> => {
        const echo = Buffer.alloc(50_000);
        await Promise.all([endpoint.trecv(echo, 3n), endpoint.tsend(pattern(50_000), peer, 2n)]);
      };
      for (let i = 0; i < 20; i++) await within(exchange(), `exchange ${i}`);
      const last = exchange();
      const ended = outcomes([last], 'the last exchange');
      child.process.kill('SIGKILL');
      await child.ended();
      for (let turn = 0; turn < 50; turn++) await nextTurn();
      // another peer is served as if nothing had happened
      const third = openEndpoint(info);
      const toThird = endpoint.addressVector.insert(third.address);
      const received = Buffer.alloc(8);
      await within(Promise.all([third.recv(received), endpoint.send(pattern(8), toThird)]), 'a message to a third');
      expectSame(received, pattern(8));
      endpoint.close();
      expect(['FI_ECANCELED', 'fulfilled']).toContain(normal((await ended)[0]!));
    });
  });
});

/** What a provider says of a connection that has gone differs; that it fails as a FabricError is what counts. */
const normal = (outcome: string): string => (outcome.startsWith('FI_E') ? 'FI_ECANCELED' : outcome);

import { RemoteRegion, type FabricError, type Hints, type MemoryRegion } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { overProvidersWith, type MemoryProvider } from './helpers/memory-pair.js';
import { acquaint, look, OtherProcess, type Acquainted } from './helpers/other-process.js';
import { wrongKeysObstacle } from './helpers/providers.js';
import { outcomes, until, within } from './helpers/within.js';

interface Kept extends Acquainted {
  region: MemoryRegion | undefined;
  bytes: Buffer;
}

const HINTS = { caps: ['FI_MSG', 'FI_TAGGED', 'FI_RMA'] } as const satisfies Hints;
const DELIVERED = { flags: ['FI_DELIVERY_COMPLETE'] } as const;
const TEN = Buffer.alloc(10, 0x11);

/**
 * What an operation on memory of a peer ends with that the peer does not allow, by provider. sockets says what it is; net
 * and rxm end the connection; shm and rxd say nothing, and serve nobody any more until the endpoint is closed.
 */
const REFUSED: Readonly<Partial<Record<MemoryProvider, string>>> = {
  net: 'FI_ECANCELED',
  tcp: 'FI_ECANCELED',
  'tcp;ofi_rxm': 'FI_ECANCELED',
  sockets: 'FI_EACCES',
};

type Access = 'FI_REMOTE_READ' | 'FI_REMOTE_WRITE';
const ATTEMPTS: Record<string, { access?: Access; place: (region: RemoteRegion) => RemoteRegion; isRead?: boolean }> = {
  'a write with an unknown key': { place: ({ address }) => new RemoteRegion(address, 9999n, 10) },
  'a read with an unknown key': { place: ({ address }) => new RemoteRegion(address, 9999n, 10), isRead: true },
  'a write to what may only be read': { access: 'FI_REMOTE_READ', place: (region) => region },
  'a read of what may only be written': { access: 'FI_REMOTE_WRITE', place: (region) => region, isRead: true },
  'a write beyond the end': { place: ({ address, key }) => new RemoteRegion(address + 95n, key, 10) },
  'a read beyond the end': { place: ({ address, key }) => new RemoteRegion(address + 95n, key, 10), isRead: true },
};

describe('memory of another process', () => {
  overProvidersWith(HINTS.caps, (_, provider) => {
    const there = new OtherProcess<Kept>();
    const meet = async () => (await acquaint(there, provider, HINTS, { progress: 'spin' })).kept;

    /** Opens a region of so many 0xee there. */
    const expose = async (length: number, access?: Access): Promise<RemoteRegion> =>
      RemoteRegion.fromJSON(
        await there.run(
          ({ fabric, kept }, size, allowed) => {
            kept.endpoint.trecv(new Uint8Array(1), 0n).catch(() => undefined);
            kept.bytes = Buffer.from(new ArrayBuffer(size)).fill(0xee);
            kept.region = new fabric.MemoryRegion(kept.endpoint.domain, kept.bytes, { access: allowed });
            return kept.region.remote().toJSON();
          },
          length,
          access,
        ),
      );

    it('may go with its process while it is being written', async () => {
      const { endpoint, toPeer } = await meet();
      const remote = await expose(65_536);
      const writes = Array.from({ length: 20 }, () => endpoint.write(pattern(65_536), toPeer, remote));
      const ended = outcomes(writes, 'the writes');
      await writes[0];
      await there.kill();
      endpoint.close();
      for (const outcome of await ended)
        expect(outcome).toMatch(/^(fulfilled|FI_E(CANCELED|IO|NOENT|NOTCONN|CONNRESET))$/);
    });

    const obstacle = wrongKeysObstacle(provider);
    if (obstacle !== false) {
      it.skip(`is left alone by who must not use it, and may be closed while it is used: ${obstacle}`);
      return;
    }

    const answer = REFUSED[provider];
    it.each(Object.keys(ATTEMPTS))(
      `is left alone by %s, which ${answer === undefined ? 'stays pending' : `rejects with ${answer}`}`,
      async (what) => {
        const { access, place, isRead = false } = ATTEMPTS[what]!;
        const { endpoint, toPeer } = await meet();
        const remote = place(await expose(100, access));
        const receiving = there.run(({ kept }) => kept.endpoint.trecv(new Uint8Array(1), 1n));
        await Promise.all([endpoint.tsend(new Uint8Array(1), toPeer, 1n), receiving]);
        const buffer = Buffer.from(TEN);
        const attempt = isRead
          ? endpoint.read(buffer, toPeer, remote)
          : endpoint.write(buffer, toPeer, remote, DELIVERED);
        const ended = outcomes([attempt], what);
        if (answer === undefined) {
          // the peer looks, which is when it would do what it shall not
          await there.run(look);
          expect(endpoint.completionQueue.outstanding).toBe(1);
          endpoint.close();
        }
        expect(await ended).toEqual([answer ?? 'FI_ECANCELED']);
        expectSame(await there.run(({ kept }) => kept.bytes), Buffer.alloc(100, 0xee));
        expectSame(buffer, TEN);
      },
    );

    it.each(['written', 'read'])('may be closed while it is being %s', async (how) => {
      const { endpoint, toPeer } = await meet();
      // of which all providers send several packets
      const remote = await expose(400_000);
      const state = { done: 0, isOver: false };
      const errors: string[] = [];
      const again = async (): Promise<void> => {
        while (!state.isOver) {
          const buffer = pattern(400_000);
          await (how === 'read' ? endpoint.read(buffer, toPeer, remote) : endpoint.write(buffer, toPeer, remote));
          state.done++;
        }
      };
      const failed = (error: unknown): void => {
        errors.push((error as FabricError).code);
      };
      const work = Promise.all(Array.from({ length: 4 }, () => again().catch(failed)));
      await until(() => state.done > 0, 'the first operation');
      await there.run(async ({ kept }) => {
        kept.region!.close();
        kept.region = undefined;
        kept.bytes = Buffer.alloc(0);
        const { setFlagsFromString } = process.getBuiltinModule('node:v8');
        setFlagsFromString('--expose-gc');
        const collect = process.getBuiltinModule('node:vm').runInNewContext('gc') as () => void;
        for (let turn = 0; turn < 20; turn++) {
          collect();
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      state.isOver = true;
      endpoint.close();
      await within(work, 'the end of all operations');
      expect(errors.filter((code) => !/^FI_E(CANCELED|ACCES|IO|NOTCONN|CONNRESET)$/.test(code))).toEqual([]);
      // alive, and able to serve somebody else
      expect(await there.run(({ kept }) => kept.endpoint.closed)).toBe(false);
    });
  });
});

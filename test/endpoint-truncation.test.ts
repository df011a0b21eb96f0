import { FabricError, type Endpoint, type Info } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { openPair, type Pair } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';
import { nextTurn, outcomes, rejection, within } from './helpers/within.js';

/** Sends again and again until a message arrives: the provider may have to connect anew. */
async function messageArrives({ left, right, toRight }: Pair, tag: bigint): Promise<void> {
  const received = Buffer.alloc(8);
  const arrival = { seen: false };
  const receiving = right.trecv(received, tag).then(() => {
    arrival.seen = true;
  });
  const resend = async (): Promise<void> => {
    while (!arrival.seen) {
      await Promise.allSettled([left.tsend(pattern(8), toRight, tag)]);
      await nextTurn();
    }
  };
  await within(Promise.all([receiving, resend()]), 'a message after the truncated one');
  expectSame(received, pattern(8));
}

// libfabric 1.x's shm copies such a message for ever, inside fi_cq_read
const isEndless = (info: Info, length: number): boolean =>
  info.fabricAttr.provName === 'shm' && length > 4096 && info.fabricAttr.apiVersion.startsWith('1.');

describe('a message longer than the buffer that was posted for it', () => {
  overEachProvider((info, provider) => {
    for (const length of [100, 20_000, 200_000]) {
      for (const first of ['receive', 'send'] as const) {
        const name = `of ${length} bytes, ${first} posted first`;
        if (isEndless(info, length)) {
          it.skip(`${name}: shm of libfabric 1.x never returns from fi_cq_read`);
          continue;
        }
        if (provider === 'udp;ofi_rxd') {
          it(`${name}, is cut silently by rxd`, async () => {
            const { receiving, sending, buffer } = await truncate(openPair(info), length, first);
            expect(await within(receiving, 'the receive')).toMatchObject({ length: 10 });
            await within(sending, 'the send');
            expectSame(buffer, guarded(pattern(10)));
          });
          continue;
        }
        it(`${name}, rejects that receive with FI_ETRUNC and a hint`, async () => {
          const pair = openPair(info);
          const { receiving, sending, buffer } = await truncate(pair, length, first);
          const error = await rejection(receiving, 'the receive');
          expect(error).toBeInstanceOf(FabricError);
          expect(error).toMatchObject({ code: 'FI_ETRUNC', errno: 265, syscall: 'fi_trecv' });
          expect((error as { hint?: string }).hint).toMatch(/longer than the buffer/);
          expect(error.message).toMatch(/Truncation error \(FI_ETRUNC from fi_trecv\)/);
          expectSame(buffer.subarray(10), guarded(new Uint8Array()).subarray(10));
          await outcomes([sending], 'the send');
          await messageArrives(pair, 2n);
        });
      }
    }

    it('is no reason for another receive to fail', async () => {
      const pair = openPair(info);
      const { left, right, toRight } = pair;
      const other = right.trecv(Buffer.alloc(64), 9n);
      const short = outcomes([right.trecv(Buffer.alloc(4), 1n)], 'the short receive');
      await outcomes([left.tsend(Buffer.alloc(64), toRight, 1n)], 'the long send');
      expect(await short).toEqual([provider === 'udp;ofi_rxd' ? 'fulfilled' : 'FI_ETRUNC']);
      await outcomes([other, resendUntil(left, toRight, other)], 'the other receive');
      expect((await other).length).toBe(64);
    });
  });
});

/** 10 bytes to receive into, with 54 behind them that nobody may write to. */
function guarded(content: Uint8Array): Buffer {
  const buffer = Buffer.alloc(64, 0xee);
  buffer.set(content);
  return buffer;
}

/** Transfers `length` bytes into a buffer of 10. */
async function truncate({ left, right, toRight }: Pair, length: number, first: 'receive' | 'send') {
  const buffer = guarded(new Uint8Array(10));
  const receive = () => right.trecv(buffer.subarray(0, 10), 1n);
  const send = () => left.tsend(pattern(length), toRight, 1n);
  if (first === 'receive') {
    const receiving = receive();
    await nextTurn();
    return { buffer, receiving, sending: send() };
  }
  const sending = send();
  // the promise may stay pending until there is a receive: a few turns give the message time to arrive
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  return { buffer, receiving: receive(), sending };
}

async function resendUntil(left: Endpoint, toRight: number, arrival: Promise<unknown>): Promise<void> {
  const state = { arrived: false };
  const stop = (): void => {
    state.arrived = true;
  };
  void arrival.then(stop, stop);
  while (!state.arrived) {
    await Promise.allSettled([left.tsend(Buffer.alloc(64), toRight, 9n)]);
    await nextTurn();
  }
}

import type { Endpoint, Info } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { startPeer, type Child } from './helpers/child.js';
import { openEndpoint } from './helpers/pair.js';
import { infoOf, overEachProvider } from './helpers/providers.js';
import { within } from './helpers/within.js';

const SIZES = [0, 1, 64, 4096, 65_536, (1 << 20) + 1];
/** In the upper half of 64 bits, and below the one bit that net keeps for itself. */
const TAG = 0x2bcd_ef01_0000_0000n;

interface Meeting {
  readonly endpoint: Endpoint;
  readonly peer: Child;
  /** Index of the C program in the endpoint's address vector. */
  readonly toPeer: number;
}

async function meet(info: Info, peer: Child): Promise<Meeting> {
  const endpoint = openEndpoint(info);
  const toPeer = endpoint.addressVector.insert(Buffer.from(await peer.line(), 'hex'));
  peer.write(endpoint.address.toString('hex'));
  return { endpoint, peer, toPeer };
}

/** Sends a message, which the C program checks, and checks the one that comes back. */
async function exchange({ endpoint, peer, toPeer }: Meeting, size: number, seed: number): Promise<void> {
  const tag = TAG + BigInt(2 * seed);
  const answer = Buffer.alloc(size);
  const receiving = endpoint.trecv(answer, tag + 1n);
  peer.write(`${tag} ${size} ${seed}`);
  const sending = endpoint.tsend(pattern(size, seed), toPeer, tag);
  const [completion, , echoed] = await within(
    Promise.all([receiving, sending, peer.line()]),
    `${size} bytes there and back`,
    20_000,
  );
  expect(completion).toMatchObject({ length: size, tag: tag + 1n });
  expectSame(answer, pattern(size, seed + 1));
  expect(echoed).toBe(`echoed ${size}`);
}

describe('an Endpoint and a C program', () => {
  overEachProvider((info, provider) => {
    it('exchange tagged messages', async () => {
      await using peer = startPeer('tagged_echo', [provider]);
      const meeting = await meet(info, peer);
      for (const [index, size] of SIZES.entries()) await exchange(meeting, size, index + 1);
      peer.process.stdin.end();
      expect(await peer.ended()).toMatchObject({ code: 0, signal: null, stderr: '' });
    });

    it('meet again after the program was started anew', async () => {
      const endpoint = openEndpoint(info);
      for (const seed of [7, 8]) {
        await using peer = startPeer('tagged_echo', [provider]);
        const toPeer = endpoint.addressVector.insert(Buffer.from(await peer.line(), 'hex'));
        peer.write(endpoint.address.toString('hex'));
        await exchange({ endpoint, peer, toPeer }, 4096, seed);
        peer.process.stdin.end();
        expect((await peer.ended()).code).toBe(0);
        endpoint.addressVector.remove(toPeer);
      }
    });
  });

  it('notice when bytes are not what they should be', async () => {
    // what the tests above rest on: the C program does compare
    const info = infoOf('sockets');
    await using peer = startPeer('tagged_echo', ['sockets']);
    const { endpoint, toPeer } = await meet(info, peer);
    peer.write(`${TAG} 64 1`);
    const wrong = pattern(64, 1).fill(0, 63);
    const [{ code, stderr }] = await within(
      Promise.all([peer.ended(), endpoint.tsend(wrong, toPeer, TAG)]),
      'the refusal of wrong bytes',
    );
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'tagged_echo: the receive: has other bytes than were announced\n',
    });
  });
});

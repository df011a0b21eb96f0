import { Endpoint } from 'node-libfabric';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { startPeer, type Child } from './helpers/child.js';
import { openPassive, overEachConnectionProvider } from './helpers/connection.js';
import { openEndpoint } from './helpers/pair.js';
import { infoOf, overEachProvider } from './helpers/providers.js';
import { within } from './helpers/within.js';

const SIZES = [0, 1, 64, 4096, 65_536, (1 << 20) + 1];
/** In the upper half of 64 bits, and below the one bit that net keeps for itself. */
const TAG = 0x2bcd_ef01_0000_0000n;
const DATA = 0xfedc_ba98_7654_3210n;

interface Meeting {
  readonly endpoint: Endpoint;
  readonly peer: Child;
  /** Index of the C program in the endpoint's address vector. */
  readonly toPeer: number;
}

/** A message, as both ends are told of it. */
interface Message {
  readonly size: number;
  readonly seed: number;
  readonly tag?: bigint | undefined;
  readonly data?: bigint | undefined;
  /** Of how many buffers the C program has it. */
  readonly parts?: number;
}

async function meet(endpoint: Endpoint, provider: string): Promise<Meeting> {
  const peer = startPeer('message_peer', [provider]);
  const toPeer = endpoint.addressVector.insert(Buffer.from(await peer.line(), 'hex'));
  peer.write(endpoint.address.toString('hex'));
  return { endpoint, peer, toPeer };
}

function tell({ peer }: Meeting, what: 'send' | 'recv', { size, seed, tag, data, parts = 1 }: Message): void {
  peer.write(`${tag === undefined ? '' : 't'}${what} ${tag ?? 0n} ${size} ${seed} ${parts} ${data ?? '-'}`);
}

/** Sends a message, of `cut` buffers, to the C program, which checks it. */
async function send(meeting: Meeting, message: Message, cut: readonly number[] = [message.size]): Promise<void> {
  const { endpoint, peer, toPeer } = meeting;
  const { size, seed, tag, data } = message;
  tell(meeting, 'recv', message);
  // sockets forgets the data of a message that comes before its receive
  expect(await peer.line()).toBe('posted');
  const bytes = pattern(size, seed);
  let start = 0;
  const buffers = cut.map((length) => bytes.subarray(start, (start += length)));
  const sending =
    tag === undefined ? endpoint.send(buffers, toPeer, { data }) : endpoint.tsend(buffers, toPeer, tag, { data });
  const [, line] = await within(Promise.all([sending, peer.line()]), `${size} bytes there`, 20_000);
  expect(line).toBe('done');
}

/** Receives a message of the C program into `cut` buffers. */
async function receive(meeting: Meeting, message: Message, cut: readonly number[] = [message.size]): Promise<void> {
  const { endpoint, peer } = meeting;
  const { size, seed, tag, data } = message;
  const buffers = cut.map((length) => Buffer.alloc(length));
  const receiving = tag === undefined ? endpoint.recv(buffers) : endpoint.trecv(buffers, tag);
  tell(meeting, 'send', message);
  const [completion, ...lines] = await within(
    Promise.all([receiving, peer.line(), peer.line()]),
    `${size} bytes from there`,
    20_000,
  );
  expect(lines).toEqual(['posted', 'done']);
  expect(completion).toMatchObject({ length: size, ...(tag !== undefined && { tag }) });
  expect(completion.data).toBe(data);
  expectSame(Buffer.concat(buffers), pattern(size, seed));
}

async function end({ peer }: Meeting): Promise<void> {
  peer.process.stdin.end();
  expect(await peer.ended()).toMatchObject({ code: 0, signal: null, stderr: '' });
}

describe('an Endpoint and a C program', () => {
  overEachProvider((info, provider) => {
    // one for all tests: loading libfabric takes longer than they do
    let meeting: Meeting;
    beforeAll(async () => {
      meeting = await meet(Endpoint.open(info), provider);
    });
    afterAll(async () => {
      await end(meeting);
      meeting.endpoint.close();
    });

    it.each([
      ['messages', undefined],
      ['tagged messages', TAG],
    ] as const)('exchange %s', async (_name, tag) => {
      for (const [index, size] of SIZES.entries()) {
        await send(meeting, { size, seed: 2 * index, tag });
        await receive(meeting, { size, seed: 2 * index + 1, tag });
      }
    });

    it('exchange messages of several buffers at one end, or at both', async () => {
      for (const tag of [undefined, TAG]) {
        for (const size of [3000, 90_000]) {
          const cut = [1, size / 2, size / 2 - 1];
          await send(meeting, { size, seed: 1, tag, parts: 1 }, cut);
          await send(meeting, { size, seed: 2, tag, parts: 3 });
          await send(meeting, { size, seed: 3, tag, parts: 2 }, cut);
          await receive(meeting, { size, seed: 4, tag, parts: 1 }, cut);
          await receive(meeting, { size, seed: 5, tag, parts: 3 });
          await receive(meeting, { size, seed: 6, tag, parts: 2 }, cut);
        }
      }
    });

    it('exchange 64 bits of immediate data with messages of either kind', async () => {
      for (const tag of [undefined, TAG]) {
        for (const [index, size] of [0, 100, 70_000].entries()) {
          await send(meeting, { size, seed: 1, tag, data: DATA - BigInt(index) });
          await receive(meeting, { size, seed: 2, tag, data: DATA + BigInt(index) });
        }
      }
    });

    it('meet again after the program was started anew', async () => {
      const { endpoint } = meeting;
      await end(meeting);
      endpoint.addressVector.remove(meeting.toPeer);
      meeting = await meet(endpoint, provider);
      await send(meeting, { size: 4096, seed: 7, tag: TAG });
      await receive(meeting, { size: 4096, seed: 8, tag: TAG });
    });
  });

  // what the tests above rest on: the C program does compare
  it.each([
    ['bytes', {}, 'has other bytes than were announced'],
    ['immediate data', { data: 1n }, 'has other data than was announced'],
  ])('notice other %s than were announced', async (what, options, complaint) => {
    const meeting = await meet(openEndpoint(infoOf('sockets')), 'sockets');
    const { endpoint, peer, toPeer } = meeting;
    tell(meeting, 'recv', { size: 64, seed: 1, tag: TAG, ...(what !== 'bytes' && { data: 2n }) });
    expect(await peer.line()).toBe('posted');
    const message = pattern(64, 1);
    if (what === 'bytes') message.fill(0, 63);
    const sending = endpoint.tsend(message, toPeer, TAG, options);
    const [{ code, stderr }] = await within(Promise.all([peer.ended(), sending]), 'the refusal');
    expect({ code, stderr }).toEqual({ code: 1, stderr: `the receive: ${complaint}\n` });
  });
});

// connection.test.ts has the other meetings with this program
describe('a C program that asks for a connection', () => {
  overEachConnectionProvider((provider) => {
    it('is rejected with private data', async () => {
      const asked: string[] = [];
      const passive = openPassive(provider, (request) => {
        asked.push(request.data.toString('utf8', 0, 6));
        request.reject(Buffer.from('not here'));
      });
      const peer = startPeer('msg_connect', ['connect', provider, String(passive.port)]);
      expect(await peer.ended()).toMatchObject({
        code: 0,
        stdout: 'refused Connection refused not here\n',
        stderr: '',
      });
      expect(asked).toEqual(['from C']);
    });
  });
});

/** What efa does with messages by their size, and what it makes of a wire that loses and reorders packets. */
import { CompletionBatch } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { pattern } from '../helpers/bytes.js';
import { acquaint, bothWays, OtherProcess, type Acquainted, type Side } from '../helpers/other-process.js';
import { rejection, within } from '../helpers/within.js';
import { counter, missingEfa, statistic } from '../helpers/software-efa.js';

/** From one packet (eager) over several (medium) to those that the receiver fetches by itself (long read). */
const SIZES = [0, 1, 32, 8000, 8928, 9000, 40_000, 65_536, 65_537, 300_000, (1 << 20) - 1, 1 << 20, 8 << 20];

/** Has a side send messages of these sizes, tagged with their number, and immediate data with every other one. */
const sendAll = (side: Side, sizes: readonly number[], messages: readonly Buffer[]) =>
  side.run(
    async ({ kept: { endpoint, toPeer } }, lengths, contents) => {
      const sends = lengths.map((length, index) => {
        const message = contents[index % contents.length]!.subarray(0, length);
        const cut = length >> 1;
        const options = index % 2 === 0 ? {} : { data: BigInt(index) };
        return endpoint.tsend([message.subarray(0, cut), message.subarray(cut)], toPeer, BigInt(index), options);
      });
      await Promise.all(sends);
    },
    sizes,
    messages,
  );

/** Has a side receive them. @returns which of them are wrong. */
const receiveAll = (side: Side, sizes: readonly number[], messages: readonly Buffer[]) =>
  side.run(
    async ({ kept: { endpoint } }, lengths, contents) => {
      const buffers = lengths.map((length) => Buffer.alloc(length, 0xee));
      const completions = await Promise.all(buffers.map((buffer, index) => endpoint.trecv(buffer, BigInt(index))));
      return completions.flatMap(({ length, data }, index) => {
        const isWhole = length === lengths[index] && data === (index % 2 === 0 ? undefined : BigInt(index));
        const message = contents[index % contents.length]!.subarray(0, length);
        return isWhole && Buffer.compare(buffers[index]!, message) === 0 ? [] : [index];
      });
    },
    sizes,
    messages,
  );

/** Sets what the devices of a side do from now on: those of queue pairs that are created after it. */
const misbehave = (side: Pick<Side, 'run'>, knobs: Readonly<Record<string, string>>) =>
  side.run((_scope, wanted) => {
    Object.assign(process.env, wanted);
  }, knobs);

describe.skipIf(missingEfa !== undefined)(`efa${missingEfa === undefined ? '' : ` (skipped: ${missingEfa})`}`, () => {
  const there = new OtherProcess<Acquainted>();

  it('carries messages of every protocol in both directions, in parts and with immediate data', async () => {
    const here = await acquaint(there, 'efa');
    const before = counter(1, 'rdma_read_bytes');
    const message = [pattern(8 << 20, 5)];
    for (const [from, to] of bothWays(here, there)) {
      const receiving = receiveAll(to, SIZES, message);
      // before they come: efa does not say that there is data with those that have no receive
      await to.run(() => undefined);
      const [wrong] = await within(Promise.all([receiving, sendAll(from, SIZES, message)]), 'the messages', 25_000);
      expect(wrong).toEqual([]);
    }
    // the largest came by RDMA reads: one mebibyte and eight, in each direction; a device writes its counters now and then
    await expect
      .poll(() => counter(1, 'rdma_read_bytes') - before, { timeout: 5000 })
      .toBeGreaterThanOrEqual(2 * (9 << 20));
  });

  it('carries them whole and in order over a wire that loses and reorders packets', async () => {
    const knobs = { SOFTEFA_REORDER_PERCENT: '30', SOFTEFA_DROP_PERCENT: '10', SOFTEFA_SEED: '7' };
    const read = () => ({ delayed: statistic(1, 'softefa_delayed'), lost: counter(1, 'retrans_pkts') });
    const before = read();
    Object.assign(process.env, knobs);
    await misbehave(there, knobs);
    try {
      const here = await acquaint(there, 'efa');
      const sizes = Array.from({ length: 120 }, (_, index) => [8, 3000, 20_000, 100_000][index % 4]!);
      const messages = [1, 2, 3].map((seed) => pattern(100_000, seed));
      for (const [from, to] of bothWays(here, there)) {
        const receiving = receiveAll(to, sizes, messages);
        await to.run(() => undefined);
        const [wrong] = await within(Promise.all([receiving, sendAll(from, sizes, messages)]), 'the messages', 25_000);
        expect(wrong).toEqual([]);
      }
      // those of one kind in the order in which they were sent: it is no tag that says which is which
      const count = 300;
      const receiving = there.run(async ({ kept: { endpoint } }, wanted) => {
        const numbers: number[] = [];
        const buffer = Buffer.alloc(2000);
        while (numbers.length < wanted) {
          await endpoint.recv(buffer);
          numbers.push(buffer.readUInt32LE());
        }
        return numbers;
      }, count);
      const numbered = Array.from({ length: count }, (_, index) => {
        const buffer = Buffer.alloc(index % 3 === 0 ? 2000 : 4);
        buffer.writeUInt32LE(index);
        return buffer;
      });
      const { endpoint, toPeer } = here.kept;
      const sends = Promise.all(numbered.map((buffer) => endpoint.send(buffer, toPeer)));
      const [numbers] = await within(Promise.all([receiving, sends]), 'the numbered messages', 25_000);
      expect(numbers).toEqual(numbered.map((_, index) => index));
    } finally {
      for (const name of Object.keys(knobs)) Reflect.deleteProperty(process.env, name);
      await there.run((_scope, names) => {
        for (const name of names) Reflect.deleteProperty(process.env, name);
      }, Object.keys(knobs));
    }
    const after = read();
    expect(after.delayed - before.delayed).toBeGreaterThan(100);
    expect(after.lost - before.lost).toBeGreaterThan(100);
  });

  it('loses none of thousands of messages to a receiver that stands still again and again', async () => {
    const { endpoint, toPeer } = (await acquaint(there, 'efa')).kept;
    const count = 6000;
    const receiving = there.run(async ({ fabric, kept }, wanted) => {
      const { endpoint: receiver } = kept;
      const batch = new fabric.CompletionBatch(64);
      const buffers = Array.from({ length: 32 }, () => Buffer.alloc(3000));
      buffers.forEach((buffer, index) => receiver.postRecv(buffer, index));
      const wrong: number[] = [];
      let received = 0;
      while (received < wanted) {
        const read = receiver.completionQueue.read(batch, 100);
        for (let i = 0; i < read; i++) {
          const buffer = buffers[batch.context[i]!]!;
          const size = 4 + ((received * 7) % 2996);
          if (buffer.readUInt32LE() !== received || batch.length[i] !== size) wrong.push(received);
          received++;
          // busy with something else, and with none of its progress made meanwhile
          if (received % 500 === 0) {
            const end = performance.now() + 20;
            while (performance.now() < end);
          }
          if (!receiver.postRecv(buffer, batch.context[i]!)) throw new Error('no room for a receive');
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      return wrong;
    }, count);
    const batch = new CompletionBatch(64);
    const messages = Array.from({ length: count }, (_, index) => {
      const buffer = Buffer.alloc(4 + ((index * 7) % 2996));
      buffer.writeUInt32LE(index);
      return buffer;
    });
    const state = { sent: 0, completed: 0, refused: 0 };
    const sending = (async () => {
      while (state.completed < count) {
        while (state.sent < count) {
          if (!endpoint.postSend(messages[state.sent]!, toPeer, state.sent)) {
            state.refused++;
            break;
          }
          state.sent++;
        }
        state.completed += endpoint.completionQueue.read(batch, 100);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const [wrong] = await within(Promise.all([receiving, sending]), 'the messages', 28_000);
    expect(wrong).toEqual([]);
    expect(state.refused).toBeGreaterThan(0);
  }, 40_000);

  it('says that a message is longer than its buffer', async () => {
    const { endpoint, toPeer } = (await acquaint(there, 'efa')).kept;
    // not of those that are fetched: 1.17 cannot register a buffer that is too short for one, and tries for ever
    for (const size of [9000, 40_000, 200_000]) {
      const receiving = there.run(({ kept }) => kept.endpoint.recv(Buffer.alloc(100)));
      const refused = rejection(receiving, `a message of ${size} bytes`);
      await there.run(() => undefined);
      const sending = endpoint.send(pattern(size), toPeer).catch(() => undefined);
      expect(await refused).toMatchObject({ code: 'FI_ETRUNC' });
      await within(sending, `the send of ${size} bytes`);
    }
  });
});

import { type Completion, CompletionBatch } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { binding } from '../lib/binding.js';
import { expectSame, pattern } from './helpers/bytes.js';
import { collectGarbage, collectUntil } from './helpers/garbage.js';
import { openPair, type Pair } from './helpers/pair.js';
import { infoOf, isOnSoftwareEfa, overEachProvider } from './helpers/providers.js';
import { within } from './helpers/within.js';

/** Every way to hand over a buffer. */
const posts: readonly (readonly [string, (pair: Pair, buffer: ArrayBufferView) => unknown])[] = [
  ['send', ({ left, toRight }, buffer) => left.send(buffer, toRight)],
  ['recv', ({ left }, buffer) => left.recv(buffer)],
  ['tsend', ({ left, toRight }, buffer) => left.tsend(buffer, toRight, 1n)],
  ['trecv', ({ left }, buffer) => left.trecv(buffer, 1n)],
  ['inject', ({ left, toRight }, buffer) => left.inject(buffer, toRight)],
  ['postSend', ({ left, toRight }, buffer) => left.postSend(buffer, toRight, 1)],
  ['postRecv', ({ left }, buffer) => left.postRecv(buffer, 1)],
  ['postTsend', ({ left, toRight }, buffer) => left.postTsend(buffer, toRight, 1n, 1)],
  ['postTrecv', ({ left }, buffer) => left.postTrecv(buffer, 1n, 0n, 1)],
];

const detach = (buffer: Uint8Array): void => {
  structuredClone(buffer.buffer, { transfer: [buffer.buffer as ArrayBuffer] });
};

async function roundTrip(pair: Pair, sent: ArrayBufferView, received: ArrayBufferView): Promise<void> {
  await within(Promise.all([pair.right.recv(received), pair.left.send(sent, pair.toRight)]), 'a round trip');
}

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Its types are a browser's. */
function newWebAssemblyMemory(): ArrayBuffer {
  const { Memory } = (
    globalThis as unknown as { WebAssembly: { Memory: new (limits: object) => { buffer: ArrayBuffer } } }
  ).WebAssembly;
  return new Memory({ initial: 1 }).buffer;
}

describe('buffers', () => {
  const info = infoOf(isOnSoftwareEfa ? 'efa' : 'tcp;ofi_rxm');

  describe.each(posts)('%s', (_, post) => {
    it.each([
      ['undefined', undefined],
      ['a string', 'bytes'],
      ['an ArrayBuffer', new ArrayBuffer(8)],
      ['an array', [1, 2, 3]],
      ['an object in the shape of a view', { buffer: new ArrayBuffer(8), byteOffset: 0, byteLength: 8 }],
      ['a proxy of a view', new Proxy(new Uint8Array(8), {})],
    ])('refuses %s', (__, value) => {
      expect(() => post(openPair(info), value as never)).toThrow(/^buffer(\[0\])?: expected an ArrayBufferView/);
    });

    it('refuses a detached buffer', () => {
      const [fresh, used] = [new Uint8Array(16), new Uint8Array(16)];
      const pair = openPair(info);
      pair.left.postRecv(used, 7);
      detach(fresh);
      detach(used);
      expect(() => post(pair, fresh)).toThrow(
        new TypeError('buffer: its ArrayBuffer is detached (it was transferred)'),
      );
      expect(() => post(pair, used)).toThrow(new TypeError('buffer: its ArrayBuffer is detached (it was transferred)'));
    });

    it('refuses a detached buffer of no bytes', () => {
      const buffer = new Uint8Array(0);
      detach(buffer);
      expect(() => post(openPair(info), buffer)).toThrow(/^buffer: its ArrayBuffer is detached/);
    });

    it('refuses resizable and growable buffers', () => {
      const pair = openPair(info);
      const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
      const Growable = SharedArrayBuffer as unknown as new (length: number, options: object) => SharedArrayBuffer;
      for (const store of [new Resizable(8, { maxByteLength: 64 }), new Growable(8, { maxByteLength: 64 })]) {
        expect(() => post(pair, new Uint8Array(store))).toThrow(/^buffer: its ArrayBuffer is resizable/);
      }
    });
  });

  overEachProvider((each) => {
    it.each<[string, () => ArrayBufferView]>([
      ['a Uint8Array', () => new Uint8Array(64)],
      ['a Float64Array', () => new Float64Array(8)],
      ['a BigInt64Array', () => new BigInt64Array(8)],
      ['a DataView with an offset', () => new DataView(new ArrayBuffer(100), 3, 64)],
      ['a Uint8Array over a SharedArrayBuffer', () => new Uint8Array(new SharedArrayBuffer(80), 8, 64)],
      ['a part of a Buffer', () => Buffer.alloc(200).subarray(50, 114)],
      ["a view of WebAssembly's memory", () => new Uint8Array(newWebAssemblyMemory(), 77, 64)],
    ])('sends from and receives into %s, and touches nothing beside it', async (_, make) => {
      const [sent, received] = [make(), make()];
      const whole = new Uint8Array(received.buffer);
      whole.fill(0xaa, received.byteOffset, received.byteOffset + received.byteLength);
      const before = Uint8Array.from(whole);
      bytesOf(sent).set(pattern(64, 9));
      await roundTrip(openPair(each), sent, received);
      expectSame(bytesOf(received), pattern(64, 9));
      before.set(pattern(64, 9), received.byteOffset);
      expectSame(whole, before);
    });

    it("carries Buffers of Node's pool, which share one ArrayBuffer", async () => {
      const [sent, received] = [Buffer.from(pattern(64, 8)), Buffer.allocUnsafe(64)];
      expect(sent.buffer.byteLength).toBe(Buffer.poolSize);
      await roundTrip(openPair(each), sent, received);
      expectSame(received, pattern(64, 8));
    });

    it('carries views of no bytes, wherever they are', async () => {
      const pair = openPair(each);
      const store = new ArrayBuffer(16);
      await roundTrip(pair, new Uint8Array(store, 16, 0), new Uint8Array(0));
      await roundTrip(pair, new DataView(store, 8, 0), new Uint8Array(new SharedArrayBuffer(0)));
    });

    it('keeps the bytes of a receive whose buffer is detached and collected in flight', async () => {
      const { left, right, toRight } = openPair(each);
      const receiving = ((): Promise<Completion> => {
        const buffer = new Uint8Array(1 << 16);
        const promise = right.recv(buffer);
        structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
        return promise;
      })();
      collectGarbage();
      // what a freed buffer would be given to
      const bystanders = Array.from({ length: 64 }, () => new Uint8Array(1 << 16));
      await within(left.send(pattern(1 << 16), toRight), 'the send');
      expect((await within(receiving, 'the receive')).length).toBe(1 << 16);
      for (const bystander of bystanders) expectSame(bystander, new Uint8Array(1 << 16));
    });

    it('delivers into the buffer that the bytes were transferred to in flight', async () => {
      const { left, right, toRight } = openPair(each);
      const buffer = new Uint8Array(1024);
      const receiving = right.recv(buffer);
      const heir = structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
      await within(left.send(pattern(1024), toRight), 'the send');
      await within(receiving, 'the receive');
      expectSame(new Uint8Array(heir), pattern(1024));
    });

    it('sends what a buffer held that is detached and collected in flight', async () => {
      const { left, right, toRight } = openPair(each);
      const sending = sendAndDrop(left.send.bind(left), toRight);
      collectGarbage();
      const received = Buffer.alloc(1 << 20);
      await within(Promise.all([right.recv(received), sending]), 'the transfer');
      expectSame(received, pattern(1 << 20, 6));
    });
  });

  it('sends what a buffer held that was detached and collected before its post was taken', async () => {
    const { left, right, toRight } = openPair(infoOf('net'));
    expect(left.postSend(new Uint8Array(1), toRight, 0), 'not connected yet').toBe(false);
    const sending = sendAndDrop(left.send.bind(left), toRight);
    collectGarbage();
    const received = Buffer.alloc(1 << 20);
    await within(Promise.all([right.recv(received), sending]), 'the transfer');
    expectSame(received, pattern(1 << 20, 6));
  });

  it('lets go of a buffer when it is collected, and of one in flight when its operation ends', async () => {
    const { left, right, toRight } = openPair(info);
    const before = binding.objectCounts().memories;
    const receiving = right.recv(new Uint8Array(1000));
    for (let i = 0; i < 500; i++) left.postRecv(new Uint8Array(1), i);
    expect(binding.objectCounts().memories).toBe(before + 501);
    collectGarbage();
    expect(binding.objectCounts().memories).toBeGreaterThanOrEqual(501);
    await within(Promise.all([left.send(Buffer.alloc(1), toRight), receiving]), 'the message');
    left.close();
    const batch = new CompletionBatch(1);
    await collectUntil(() => binding.objectCounts().memories <= before + 2, 'the memories to be released');
    expect(batch.capacity).toBe(1);
  });

  it('takes a message whose buffers are made and dropped a thousand times', async () => {
    const pair = openPair(info);
    const before = binding.objectCounts().memories;
    for (let i = 0; i < 1000; i++) await roundTrip(pair, new Uint8Array(4096), new Uint8Array(4096));
    await collectUntil(() => binding.objectCounts().memories < before + 100, 'the memories to be released');
  });
});

/** A frame of its own, so that nothing holds the buffer when it returns. */
function sendAndDrop(send: (buffer: Uint8Array, to: number) => Promise<unknown>, to: number): Promise<unknown> {
  const buffer = new Uint8Array(pattern(1 << 20, 6));
  const sending = send(buffer, to);
  detach(buffer);
  return sending;
}

import { connect, FabricStream } from 'node-libfabric';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import streams, { PassThrough, Readable, type Duplex } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { startNode } from './helpers/child.js';
import { openConnections, overEachConnectionProvider } from './helpers/connection.js';
import { nextTurn, outcomes, rejection, within } from './helpers/within.js';

const MEBIBYTE = 1 << 20;

async function openStreams(
  provider: string,
  options: ConstructorParameters<typeof FabricStream>[1] = {},
): Promise<[FabricStream, FabricStream]> {
  const [left, right] = await openConnections(provider, { frameSize: 16_384, window: 8 });
  return [left.stream(options), right.stream(options)];
}

/** Everything that a stream gives. */
async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The names of the events that a stream emits, in their order. */
function record(stream: FabricStream): string[] {
  const names: string[] = [];
  for (const name of ['end', 'finish', 'error', 'close']) stream.on(name, () => names.push(name));
  return names;
}

describe('FabricStream', () => {
  overEachConnectionProvider((provider) => {
    const large = (provider === 'sockets' ? 1 : 8) * MEBIBYTE;

    it('carries large data through pipeline(), unchanged', async () => {
      const [left, right] = await openStreams(provider);
      const sent = pattern(large + 17);
      const [sentHash, receivedHash] = [createHash('sha256').update(sent), createHash('sha256')];
      const source = Readable.from([sent.subarray(0, 3), sent.subarray(3, 100_000), sent.subarray(100_000)]);
      const echo = pipeline(right, new PassThrough(), right);
      const back = pipeline(source, left, async (received: AsyncIterable<Buffer>) => {
        for await (const chunk of received) receivedHash.update(chunk);
      });
      await within(Promise.all([echo, back]), 'the pipelines', 25_000);
      expect(receivedHash.digest('hex')).toBe(sentHash.digest('hex'));
    });

    it('emits end and finish, then close, at both ends', async () => {
      const [left, right] = await openStreams(provider);
      const events = [record(left), record(right)];
      const closed = Promise.all([once(left, 'close'), once(right, 'close')]);
      left.end('left');
      right.end('right');
      expect((await collect(right)).toString()).toBe('left');
      expect((await collect(left)).toString()).toBe('right');
      await within(closed, 'close');
      for (const names of events) {
        expect(names.slice(0, 2).sort()).toEqual(['end', 'finish']);
        expect(names.slice(2)).toEqual(['close']);
      }
      expect([left.destroyed, left.readableEnded, left.writableFinished]).toEqual([true, true, true]);
      await within(Promise.all([left.connection.closed, right.connection.closed]), 'the connections');
      expect([left.connection.endpoint.closed, right.connection.endpoint.closed]).toEqual([true, true]);
    });

    it('stays half open until the other direction ends', async () => {
      const [left, right] = await openStreams(provider);
      left.end('question');
      expect((await collect(right)).toString()).toBe('question');
      expect(right.writable).toBe(true);
      right.write('slow ');
      await nextTurn();
      right.end('answer');
      expect((await within(collect(left), 'the answer')).toString()).toBe('slow answer');
    });

    it('ends with the other direction where allowHalfOpen is false', async () => {
      const [left, right] = await openStreams(provider, { allowHalfOpen: false });
      left.resume();
      right.resume();
      left.end();
      await within(Promise.all([finished(left), finished(right)]), 'both');
    });

    it('makes a writer wait for a reader, and holds no more than its windows', async () => {
      const [left, right] = await openStreams(provider, { highWaterMark: 16_384 });
      const chunk = Buffer.alloc(16_384, 7);
      let written = 0;
      expect(left.writableHighWaterMark).toBe(16_384);
      const writing = (async () => {
        while (written < 100) {
          if (!left.write(chunk)) await once(left, 'drain');
          written++;
        }
        left.end();
      })();
      for (let i = 0; i < 200; i++) await nextTurn();
      expect(written).toBeLessThan(30);
      const received = await within(collect(right), 'the reader');
      await writing;
      expect(received.length).toBe(written * 16_384);
    });

    it('keeps corked and encoded writes in order', async () => {
      const [left, right] = await openStreams(provider);
      right.setEncoding('utf8');
      left.cork();
      left.write('é');
      left.write('2603', 'hex');
      left.write(new Uint8Array(0));
      left.uncork();
      left.end(Buffer.from('!'));
      let text = '';
      for await (const part of right) text += part as string;
      expect(text).toBe('é&\u0003!');
    });

    it('is destroyed with an error at this end, and reset at the other', async () => {
      const [left, right] = await openStreams(provider);
      const there = rejection(collect(right), 'the other end');
      const here = rejection(finished(left), 'this end');
      left.write('half a mess');
      left.destroy(new Error('on purpose'));
      expect((await here).message).toBe('on purpose');
      expect(await there).toMatchObject({ code: 'FI_ECONNRESET' });
      expect(right.destroyed).toBe(true);
      const failure = await new Promise((resolve) => left.write('x', resolve));
      expect(failure).toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
    });

    it('may be destroyed twice, without an error, and from a data listener', async () => {
      const [left, right] = await openStreams(provider);
      const [events, lost] = [record(right), rejection(finished(left), 'the other end')];
      right.on('data', () => {
        right.destroy();
        right.destroy();
      });
      left.write('x');
      await within(once(right, 'close'), 'close');
      expect(events).toEqual(['close']);
      expect(await lost).toMatchObject({ code: 'FI_ECONNRESET' });
    });

    it('fails a pipeline whose peer goes away', async () => {
      const [left, right] = await openStreams(provider);
      const endless = new Readable({
        read() {
          this.push(Buffer.alloc(10_000));
        },
      });
      const sending = outcomes([pipeline(endless, left)], 'the pipeline');
      await within(once(right, 'data'), 'some data');
      right.destroy();
      expect(await sending).toEqual(['FI_ECONNRESET']);
      expect(endless.destroyed).toBe(true);
    });

    it('is aborted by a signal', async () => {
      const controller = new AbortController();
      const [left] = await openStreams(provider, { signal: controller.signal });
      const ended = rejection(finished(left), 'the stream');
      controller.abort();
      expect((await ended).name).toBe('AbortError');
    });

    it('is closed by leaving an iteration, and takes part in compose()', async () => {
      const [left, right] = await openStreams(provider);
      // @types/node 20 does not know it
      const compose = Reflect.get(streams, 'compose') as (...parts: unknown[]) => Duplex;
      const loud = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
        for await (const chunk of source) yield Buffer.from(chunk.toString().toUpperCase());
      };
      const doubling = compose(loud, left);
      doubling.end('loud');
      for await (const chunk of right) {
        expect(String(chunk)).toBe('LOUD');
        break;
      }
      expect(right.destroyed).toBe(true);
    });

    it('fails within a deadline when the peer is killed', async () => {
      const child = startNode('connection', ['echo', provider]);
      const port = Number((await child.line()).split(' ')[1]);
      const stream = (await within(connect({ provider, port }), 'connect')).stream();
      stream.write('ping');
      const [echo] = (await within(once(stream, 'data'), 'the echo')) as [Buffer];
      expectSame(echo, Buffer.from('ping'));
      const ended = rejection(finished(stream), 'the end');
      child.process.kill('SIGKILL');
      expect(await ended).toMatchObject({ code: 'FI_ECONNRESET' });
    });
  });
});

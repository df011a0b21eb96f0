import type { ConnectedEndpoint, PassiveEndpoint } from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { connectionInfo, openConnectable, openSide, overEachConnectionProvider } from './helpers/connection.js';
import { bothWays, OtherProcess, ThisProcess, type Side } from './helpers/other-process.js';
import { outcomes, rejection, until, within } from './helpers/within.js';

interface Connected {
  endpoint: ConnectedEndpoint;
}
interface Kept extends Connected {
  passive: PassiveEndpoint;
  /** The private data of who asked, once it has been answered. */
  asked: Promise<string>;
  disconnected: Promise<string>;
}

const receive = (side: Side<Connected>, sizes: readonly number[]) =>
  side.run(async ({ kept }, lengths) => {
    const buffers = lengths.map((length) => Buffer.alloc(length));
    const { length } = await kept.endpoint.recv(buffers);
    return Buffer.concat(buffers).subarray(0, length);
  }, sizes);

const send = (side: Side<Connected>, parts: readonly Buffer[]) =>
  side.run(({ kept }, buffers) => kept.endpoint.send(buffers), parts);

describe('a connection to another process', () => {
  overEachConnectionProvider((provider) => {
    const there = new OtherProcess<Kept>();

    /** Listens there, and answers the first that comes. @returns an endpoint here that can ask. */
    async function listen(answer: 'accept' | 'reject'): Promise<ConnectedEndpoint> {
      onTestFinished(() =>
        there.run(({ closeAll }) => {
          closeAll();
        }),
      );
      const port = await there.run(
        ({ fabric, opened, kept }, name, wanted) => {
          const hints = { caps: ['FI_MSG'], epAttr: { type: 'FI_EP_MSG' }, fabricAttr: { provName: name } } as const;
          const [info] = fabric.getInfo(hints, { node: '127.0.0.1', service: '0', flags: 'FI_SOURCE' });
          const owner = opened(new fabric.Fabric(info!));
          const [domain, eventQueue] = [new fabric.Domain(owner), new fabric.EventQueue(owner)];
          kept.passive = new fabric.PassiveEndpoint(owner, { eventQueue });
          kept.asked = new Promise((resolve, reject) => {
            kept.passive.listen({
              onRequest(request) {
                const data = request.data.toString();
                if (wanted === 'reject') {
                  request.reject(Buffer.from('not you'));
                  resolve(data);
                  return;
                }
                const bindings = { completionQueue: new fabric.CompletionQueue(domain), eventQueue };
                kept.endpoint = new fabric.ConnectedEndpoint(domain, bindings, request);
                kept.disconnected = kept.endpoint.disconnected.then((error) => error?.code ?? 'in order');
                kept.endpoint.accept({ data: Buffer.from('from there') }).then(() => {
                  resolve(data);
                }, reject);
              },
            });
          });
          return kept.passive.address.readUInt16BE(2);
        },
        provider,
        answer,
      );
      return openConnectable(openSide(connectionInfo(provider, port)));
    }

    async function connect() {
      const endpoint = await listen('accept');
      const answer = await within(endpoint.connect({ data: Buffer.from('from here') }), 'connect');
      expect(await there.run(({ kept }) => kept.asked)).toBe('from here');
      return { answer, here: new ThisProcess<Connected>({ endpoint }) };
    }

    it('carries private data with request and answer, then messages both ways, and ends in order', async () => {
      const { answer, here } = await connect();
      // tcp pads it
      expect(answer.toString('utf8', 0, 10)).toBe('from there');
      for (const [from, to] of bothWays<Connected>(here, there)) {
        for (const size of [1, 5000, 1 << 20]) {
          const message = pattern(size, size);
          const cut = [message.subarray(0, size >> 2), message.subarray(size >> 2)];
          const [received] = await Promise.all([receive(to, [size >> 1, size - (size >> 1)]), send(from, cut)]);
          expectSame(received, message);
        }
      }
      here.kept.endpoint.shutdown();
      expect(await there.run(({ kept }) => kept.disconnected)).toBe('in order');
    });

    it('is rejected with private data', async () => {
      const endpoint = await listen('reject');
      const error = await rejection(endpoint.connect({ data: Buffer.from('from here') }), 'connect');
      expect(await there.run(({ kept }) => kept.asked)).toBe('from here');
      expect(error).toMatchObject({ name: 'ConnectionRejectedError', code: 'FI_ECONNREFUSED' });
      expect((error as { data?: Buffer }).data?.toString()).toBe('not you');
    });

    it('is refused where nobody listens any more', async () => {
      const endpoint = await listen('accept');
      await there.run(({ kept }) => {
        kept.passive.close();
      });
      expect(await outcomes([endpoint.connect()], 'connect')).toEqual(['FI_ECONNREFUSED']);
    });

    it('ends a receive that is too short for a message', async () => {
      const { here } = await connect();
      const ended = outcomes([receive(there, [10])], 'the receive');
      await outcomes([send(here, [pattern(5000)])], 'the send');
      expect(await ended).toEqual(['FI_ETRUNC']);
    });

    it('rejects what is under way when the peer is killed, in both directions', async () => {
      const { here } = await connect();
      const { endpoint } = here.kept;
      // it sends without an end, and takes what comes
      void there
        .run(async ({ kept }) => {
          const buffer = Buffer.alloc(65_536);
          for (;;) await Promise.all([kept.endpoint.send(buffer), kept.endpoint.recv(Buffer.alloc(65_536))]);
        })
        .catch(() => undefined);
      let received = 0;
      const receiving = (async () => {
        for (;;) {
          await endpoint.recv(Buffer.alloc(65_536));
          received++;
        }
      })();
      const sending = (async () => {
        for (;;) await endpoint.send(Buffer.alloc(65_536));
      })();
      const ended = outcomes([receiving, sending], 'the end of both');
      await until(() => received > 5, 'some messages');
      await there.kill();
      for (const outcome of await ended) {
        expect(outcome).toMatch(/^FI_E(CANCELED|CONNRESET|NOTCONN|CONNABORTED|PIPE|IO|SHUTDOWN|32)$/);
      }
      await within(endpoint.disconnected, 'the end of the connection');
      expect(endpoint.state).toBe('disconnected');
    });
  });
});

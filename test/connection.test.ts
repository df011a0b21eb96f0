import { connect, ConnectionRejectedError, type Connection } from 'node-libfabric';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { startNode, startPeer } from './helpers/child.js';
import {
  connectionInfo,
  deferred,
  openConnectable,
  openConnections,
  openListener,
  openPassive,
  openSide,
  overEachConnectionProvider,
} from './helpers/connection.js';
import { nextTurn, outcomes, rejection, within } from './helpers/within.js';

describe('Connection', () => {
  overEachConnectionProvider((provider) => {
    it('carries messages of every size in order, both ways at once', async () => {
      const [client, server] = await openConnections(provider);
      const sizes = [0, 1, 1000, client.maxMessageSize];
      const exchange = async (from: Connection, to: Connection, seed: number): Promise<void> => {
        const sending = Promise.all(sizes.map((size) => from.send(pattern(size, seed))));
        for (const size of sizes) expectSame((await to.receive())!, pattern(size, seed));
        await sending;
      };
      await within(Promise.all([exchange(client, server, 1), exchange(server, client, 2)]), 'the messages');
      expect(() => client.send(Buffer.alloc(client.maxMessageSize + 1))).toThrow(RangeError);
      expect(() => client.send('text' as never)).toThrow(TypeError);
    });

    it('carries the private data of both, and lets the listener decide', async () => {
      const listener = openListener({
        provider,
        answer: (data) => ({ accept: data.toString() === 'friend', data: Buffer.from(`hello ${data.toString()}`) }),
      });
      const to = { provider, port: listener.port };
      const connecting = connect({ ...to, data: Buffer.from('friend') });
      const { value: server } = await within(listener[Symbol.asyncIterator]().next(), 'the listener');
      const client = await within(connecting, 'connect');
      expect([client.data.toString(), (server as Connection).data.toString()]).toEqual(['hello friend', 'friend']);
      const error = await rejection(connect({ ...to, data: Buffer.from('foe') }), 'connect');
      expect(error).toBeInstanceOf(ConnectionRejectedError);
      client.destroy();
    });

    it('makes a sender wait that is faster than the receiver', async () => {
      const [client, server] = await openConnections(provider, { window: 4 });
      let sent = 0;
      const sending = (async () => {
        for (let i = 0; i < 100; i++) {
          await client.send(Buffer.from([i]));
          sent++;
        }
      })();
      await within(server.send(Buffer.from('round')), 'a message');
      await within(client.receive(), 'its arrival');
      for (let i = 0; i < 50; i++) await nextTurn();
      expect(sent).toBe(4);
      for (let i = 0; i < 100; i++) expect((await within(server.receive(), `message ${i}`))![0]).toBe(i);
      await within(sending, 'the sender');
    });

    it('ends one direction at a time, and then for good', async () => {
      const [client, server] = await openConnections(provider);
      void client.send(Buffer.from('last'));
      await within(client.end(), 'end');
      expect(await outcomes([client.send(Buffer.alloc(1))], 'a send')).toEqual(['FI_ESHUTDOWN']);
      await within(server.send(Buffer.from('still')), 'the other direction');
      expect((await within(client.receive(), 'its message'))?.toString()).toBe('still');
      expect((await within(server.receive(), 'the last message'))?.toString()).toBe('last');
      expect(await within(server.receive(), 'the end')).toBeUndefined();
      await within(Promise.all([server.close(), client.closed, server.closed]), 'the end of both');
      expect(await client.receive()).toBeUndefined();
      expect(client.endpoint.closed && server.endpoint.closed).toBe(true);
    });

    it('is lost, not ended, when the peer destroys it', async () => {
      const [client, server] = await openConnections(provider);
      await client.send(Buffer.from('before'));
      const waiting = server.receive().then(() => server.receive());
      const lost = rejection(waiting, 'the receive');
      await within(
        server.send(Buffer.alloc(1)).then(() => client.receive()),
        'a message',
      );
      client.destroy();
      client.destroy();
      expect(await lost).toMatchObject({ code: 'FI_ECONNRESET' });
      expect(await within(server.closed, 'closed')).toMatchObject({ code: 'FI_ECONNRESET' });
      expect(await outcomes([server.send(Buffer.alloc(1)), server.end()], 'later')).toEqual(
        Array(2).fill('FI_ECONNRESET'),
      );
      expect(await client.closed).toBeUndefined();
    });

    it('closes from any continuation, and the listener before its connections', async () => {
      const server = deferred<Connection>();
      const listener = openListener({ provider }, server.resolve);
      const client = await within(connect({ provider, port: listener.port }), 'connect');
      const there = await within(server.promise, 'the listener');
      listener.close();
      listener.close();
      expect(
        await outcomes([connect({ provider, port: client.endpoint.peerAddress.readUInt16BE(2) })], 'late'),
      ).not.toEqual(['fulfilled']);
      const done = there.receive().then(() => {
        there.destroy();
      });
      await client.send(Buffer.alloc(1));
      await within(done, 'the continuation');
      await within(client.closed, 'the client');
      expect(there.endpoint.domain.fabric.closed).toBe(true);
    });

    it('refuses who does not speak its protocol, on either end', async () => {
      const listener = openListener({ provider });
      const stranger = openConnectable(openSide(connectionInfo(provider, listener.port)));
      expect(await outcomes([stranger.connect()], 'a stranger')).toEqual(['FI_ECONNREFUSED']);
      const passive = openPassive(provider, (request) => {
        void openConnectable(passive, request).accept({ data: Buffer.from('what?') });
      });
      expect(await outcomes([connect({ provider, port: passive.port })], 'a connection')).toEqual(['FI_EREMOTEIO']);
      expect(await outcomes([connect({ provider, port: 70_000 }), connect({ provider })], 'no ports')).toEqual([
        'RangeError',
        'TypeError',
      ]);
    });
  });
});

describe('Connections between processes', () => {
  overEachConnectionProvider((provider) => {
    it('carry messages, and end in order', async () => {
      const listener = openListener({ provider, answer: () => ({ accept: true, data: Buffer.from('server') }) });
      const child = startNode('connection', ['client', provider, String(listener.port)]);
      for await (const connection of listener) {
        expect(connection.data.toString()).toBe('client');
        let count = 0;
        for await (const message of connection) expect(message.toString()).toBe(`message ${count++}`);
        expect(count).toBe(100);
        await connection.close();
        break;
      }
      expect(await child.ended()).toMatchObject({ code: 0, stdout: 'connected server\nclosed\n', stderr: '' });
    });

    it('are lost when the peer is killed', async () => {
      const listener = openListener({ provider });
      const child = startNode('connection', ['hold', provider, String(listener.port)]);
      const { value } = await within(listener[Symbol.asyncIterator]().next(), 'the listener');
      const connection = value as Connection;
      await within(connection.receive(), 'its message');
      const waiting = rejection(connection.receive(), 'the receive');
      await child.line();
      child.process.kill('SIGKILL');
      expect(await waiting).toMatchObject({ code: 'FI_ECONNRESET' });
    });

    it.each(['exit while it connects', 'exit with data in flight', 'exit while it listens'])(
      'may %s',
      async (action) => {
        const listener = openListener({ provider });
        const child = startNode('connection', [action, provider, String(listener.port)]);
        expect(await child.ended()).toMatchObject({ code: 7, signal: null, stderr: '' });
      },
    );

    it('do not keep a process alive that has only an unreferenced listener', async () => {
      const child = startNode('connection', ['unreferenced listener', provider]);
      expect(await child.ended()).toMatchObject({ code: 0, stderr: '' });
    });

    it('end with their worker', async () => {
      for (let round = 0; round < 3; round++) {
        const url = new URL('./fixtures/worker-listener.mjs', import.meta.url);
        const worker = new Worker(url, { workerData: { provider } });
        onTestFinished(() => void worker.terminate());
        const ready = deferred<unknown>();
        worker.once('message', ready.resolve);
        worker.once('error', ready.reject);
        await within(ready.promise, 'the worker');
        await within(worker.terminate(), 'its end');
      }
    });

    it('are accepted from a C program', async () => {
      const served = deferred<undefined>();
      const passive = openPassive(provider, (request) => {
        expect(request.data.toString('utf8', 0, 6)).toBe('from C');
        const endpoint = openConnectable(passive, request);
        const buffer = Buffer.alloc(2000);
        const receiving = endpoint.recv(buffer);
        const serve = async (): Promise<void> => {
          await endpoint.accept({ data: Buffer.from('from Node\0') });
          const { length } = await receiving;
          await endpoint.send(buffer.subarray(0, length));
          await endpoint.disconnected;
        };
        serve().then(() => {
          served.resolve(undefined);
        }, served.reject);
      });
      const peer = startPeer('msg_connect', ['connect', provider, String(passive.port)]);
      expect(await peer.ended()).toMatchObject({ code: 0, stdout: 'connected from Node\necho same\n', stderr: '' });
      await within(served.promise, 'the end');
    });

    it('are made to a C program', async () => {
      const peer = startPeer('msg_connect', ['listen', provider]);
      const port = Number((await peer.line()).split(' ')[1]);
      const client = openConnectable(openSide(connectionInfo(provider, port)));
      const answer = await within(client.connect({ data: Buffer.from('from Node\0') }), 'connect');
      expect(answer.toString('utf8', 0, 6)).toBe('from C');
      expect(await peer.line()).toBe('request from Node');
      const [sent, back] = [pattern(5000), Buffer.alloc(5000)];
      await within(Promise.all([client.recv(back), client.send(sent)]), 'the echo');
      expectSame(back, sent);
      expect(await peer.line()).toBe('echoed 5000');
      client.shutdown();
      expect(await peer.line()).toBe('shutdown');
      expect((await peer.ended()).code).toBe(0);
    });

    it('are rejected by a C program', async () => {
      const peer = startPeer('msg_connect', ['listen', provider]);
      const port = Number((await peer.line()).split(' ')[1]);
      const client = openConnectable(openSide(connectionInfo(provider, port)));
      const error = await rejection(client.connect({ data: Buffer.from('reject\0') }), 'connect');
      expect(error).toMatchObject({ code: 'FI_ECONNREFUSED' });
      expect((error as { data?: Buffer }).data?.toString()).toBe('not you\0');
      peer.write('');
      expect((await peer.ended()).code).toBe(0);
    });
  });
});

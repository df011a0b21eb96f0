import {
  ConnectionRejectedError,
  PassiveEndpoint,
  type ConnectedEndpoint,
  type ConnectionRequest,
} from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import {
  connectionInfo,
  deferred,
  openConnectable,
  openEndpointPair,
  openPassive,
  openSide,
  overEachConnectionProvider,
  type PassiveSide,
} from './helpers/connection.js';
import { expectSame, pattern } from './helpers/bytes.js';
import { outcomes, rejection, within } from './helpers/within.js';

describe('PassiveEndpoint and ConnectedEndpoint', () => {
  overEachConnectionProvider((provider) => {
    it('carries private data both ways', async () => {
      const request = deferred<ConnectionRequest>();
      const passive = openPassive(provider, request.resolve);
      const client = openConnectable(openSide(connectionInfo(provider, passive.port)));
      expect(passive.passiveEndpoint.dataSize).toBeGreaterThan(32);
      const [there, back] = [pattern(client.dataSize, 1), pattern(client.dataSize, 2)];
      const connecting = client.connect({ data: there });
      const { data, info } = await within(request.promise, 'the request');
      expectSame(data.subarray(0, there.length), there);
      expect(info.destAddr).toBeDefined();
      const server = openConnectable(passive, await request.promise);
      await within(server.accept({ data: back }), 'accept');
      expectSame((await within(connecting, 'connect')).subarray(0, back.length), back);
      expect(client.peerAddress.readUInt16BE(2)).toBe(passive.port);
      expect(server.peerAddress.subarray(4, 8).join('.')).toBe('127.0.0.1');
    });

    it('carries messages, received before or after they are sent', async () => {
      const { client, server } = await openEndpointPair(provider);
      const [sent, received] = [pattern(100_000), Buffer.alloc(100_000)];
      await within(Promise.all([server.recv(received), client.send(sent)]), 'the message');
      expectSame(received, sent);
      const sending = server.send(sent);
      const back = Buffer.alloc(100_000);
      await within(Promise.all([sending, client.recv(back)]), 'the answer');
      expectSame(back, sent);
    });

    it('rejects with private data', async () => {
      const passive = openPassive(provider, (request) => {
        request.reject(Buffer.from('full'));
        expect(() => {
          request.reject();
        }).toThrow(/closed/);
      });
      const client = openConnectable(openSide(connectionInfo(provider, passive.port)));
      const error = await rejection(client.connect(), 'connect');
      expect(error).toBeInstanceOf(ConnectionRejectedError);
      expect(error).toMatchObject({ name: 'ConnectionRejectedError', code: 'FI_ECONNREFUSED', syscall: 'fi_connect' });
      // sockets loses it now and then: it closes the connection behind the rejection
      const said = (error as { data?: Buffer }).data?.toString('utf8', 0, 4);
      expect(provider === 'sockets' ? ['full', ''] : ['full']).toContain(said);
      expect(client.state).toBe('disconnected');
    });

    it('fails to connect where nobody listens, and says what to try', async () => {
      const passive = openPassive(provider);
      passive.passiveEndpoint.close();
      const client = openConnectable(openSide(connectionInfo(provider, passive.port)));
      const error = await rejection(client.connect(), 'connect');
      expect(error).toMatchObject({ code: 'FI_ECONNREFUSED' });
      expect(error.message).toMatch(/Nobody listens/);
      expect(await outcomes([client.connect()], 'again')).toEqual(['FI_EALREADY']);
    });

    it('refuses what cannot be', async () => {
      const { client, server, passive } = await openEndpointPair(provider);
      const idle = openConnectable(openSide(connectionInfo(provider, passive.port)));
      expect(() => idle.peerAddress).toThrow(/FI_ENOTCONN/);
      expect(() => idle.send(Buffer.alloc(1))).toThrow(/FI_ENOTCONN/);
      expect(() => {
        idle.shutdown();
      }).toThrow(/FI_ENOTCONN/);
      const late = [idle.accept(), client.connect(), idle.connect({ data: Buffer.alloc(10_000) })];
      expect(await outcomes(late, 'refusals')).toEqual(['TypeError', 'FI_EISCONN', 'RangeError']);
      expect(() =>
        openConnectable(passive, { ...client.info, epAttr: { ...client.info.epAttr, type: 'FI_EP_RDM' } }),
      ).toThrow(TypeError);
      expect(() => new PassiveEndpoint(passive.fabric, { eventQueue: client.eventQueue })).toThrow(TypeError);
      expect(server.state).toBe('connected');
    });

    it('tells both ends of a shutdown, and settles what was pending', async () => {
      const { client, server } = await openEndpointPair(provider);
      const pending = outcomes([client.recv(Buffer.alloc(8)), server.recv(Buffer.alloc(8))], 'the receives');
      const gone = [client.disconnected, server.disconnected];
      server.shutdown();
      server.shutdown();
      expect(await within(Promise.all(gone), 'disconnected')).toEqual([undefined, undefined]);
      expect(await pending).toEqual(['FI_ECANCELED', 'FI_ECANCELED']);
      expect(() => client.send(Buffer.alloc(1))).toThrow(/FI_ENOTCONN/);
    });

    it('gives up when a signal says so, and closes the endpoint', async () => {
      const passive = openPassive(provider);
      const client = openConnectable(openSide(connectionInfo(provider, passive.port)));
      const connecting = client.connect({ signal: AbortSignal.timeout(50) });
      expect(await outcomes([connecting], 'connect')).toEqual(['TimeoutError']);
      expect(client.closed).toBe(true);
    });

    it('refuses a request that nobody answers, when what could do so is closed', async () => {
      const closers: ((passive: PassiveSide, request: ConnectionRequest) => void)[] = [
        (passive, request) => {
          openConnectable(passive, request).close();
        },
        ({ passiveEndpoint }) => {
          passiveEndpoint.close();
        },
        (_, request) => {
          request.close();
        },
      ];
      for (const close of closers) {
        const passive: PassiveSide = openPassive(provider, (request) => {
          close(passive, request);
        });
        const client = openConnectable(openSide(connectionInfo(provider, passive.port)));
        const error = await rejection(client.connect(), 'connect');
        // tcp and net say FI_ENOENT when there was no word of rejection
        expect((error as { code?: string }).code).toMatch(/FI_ECONN|FI_ENOENT/);
      }
    });

    it('accepts when the passive endpoint has been closed meanwhile', async () => {
      const accepted = deferred<ConnectedEndpoint>();
      const passive: PassiveSide = openPassive(provider, (request) => {
        const endpoint = openConnectable(passive, request);
        passive.passiveEndpoint.close();
        endpoint.accept().then(() => {
          accepted.resolve(endpoint);
        }, accepted.reject);
      });
      const client = openConnectable(openSide(connectionInfo(provider, passive.port)));
      await within(Promise.all([client.connect(), accepted.promise]), 'the connection');
    });

    it('closes in any order, twice, and from continuations', async () => {
      const orders = [
        ['client', 'server', 'passive'],
        ['passive', 'client', 'server'],
        ['server', 'passive', 'client'],
      ] as const;
      for (const order of orders) {
        const pair = await openEndpointPair(provider);
        const closers = {
          client: () => {
            pair.client.domain.fabric.close();
          },
          server: () => {
            pair.server.close();
          },
          passive: () => {
            pair.passive.fabric.close();
          },
        };
        const pending = pair.client.recv(Buffer.alloc(8)).catch(() => {
          for (const name of order) closers[name]();
        });
        closers[order[0]]();
        await within(pending, 'the receive');
        for (const name of order) closers[name]();
      }
    });
  });
});

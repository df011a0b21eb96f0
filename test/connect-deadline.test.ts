import { connect, listen, type ConnectedEndpoint, type ConnectionRequest } from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  connectionInfo,
  deferred,
  openConnectable,
  openPassive,
  openSide,
  overEachConnectionProvider,
  type PassiveSide,
} from './helpers/connection.js';
import { outcomes, rejection, within } from './helpers/within.js';

const ROUNDS = 20;

/** Who asks a passive endpoint for a connection. */
const openClient = (provider: string, passive: PassiveSide): ConnectedEndpoint =>
  openConnectable(openSide(connectionInfo(provider, passive.port)));

describe('connecting', () => {
  overEachConnectionProvider((provider) => {
    it('ends when the time is over, and says what had not happened', async () => {
      const passive = openPassive(provider);
      const client = openClient(provider, passive);
      const error = await rejection(client.connect({ timeout: 50 }), 'connect');
      expect(error).toMatchObject({ name: 'FabricError', code: 'FI_ETIMEDOUT', syscall: 'fi_connect' });
      expect(error.message).toMatch(/After 50 ms the listener had not answered the request\./);
      expect(client.closed).toBe(true);
    });

    it('does so for connect() too', async () => {
      const answering = deferred<boolean>();
      const listener = listen({ provider, answer: () => ({ accept: false }) });
      onTestFinished(() => {
        listener.close();
      });
      const passive = openPassive(provider, () => {
        answering.resolve(true);
      });
      const error = await rejection(connect({ provider, port: passive.port, timeout: 200 }), 'connect');
      expect(error).toMatchObject({ code: 'FI_ETIMEDOUT' });
      expect(await within(answering.promise, 'the request')).toBe(true);
      const refused = await rejection(connect({ provider, port: listener.port, timeout: 10_000 }), 'the refusal');
      expect(refused).toMatchObject({ code: 'FI_ECONNREFUSED' });
    });

    it('has no deadline when there shall be none, and refuses what is no time', async () => {
      const request = deferred<ConnectionRequest>();
      const passive = openPassive(provider, request.resolve);
      const client = openClient(provider, passive);
      for (const timeout of [-1, NaN, '1', null]) {
        await expect(client.connect({ timeout: timeout as number })).rejects.toThrow(/options\.timeout: expected/);
      }
      const connecting = client.connect({ timeout: Infinity });
      const server = openConnectable(passive, await within(request.promise, 'the request'));
      await within(Promise.all([server.accept({ timeout: 10_000 }), connecting]), 'the connection');
      expect([client.state, server.state]).toEqual(['connected', 'connected']);
    });

    it.each([
      [
        'the request',
        (_: PassiveSide, request: ConnectionRequest) => {
          request.close();
        },
      ],
      [
        'the listener',
        (passive: PassiveSide) => {
          passive.passiveEndpoint.close();
        },
      ],
      [
        'the request, then the listener',
        (passive: PassiveSide, request: ConnectionRequest) => {
          request.reject();
          passive.passiveEndpoint.close();
        },
      ],
      [
        'the fabric',
        (passive: PassiveSide) => {
          passive.fabric.close();
        },
      ],
      [
        'an endpoint that was opened for it, then the listener',
        (passive: PassiveSide, request: ConnectionRequest) => {
          openConnectable(passive, request).close();
          passive.passiveEndpoint.close();
        },
      ],
    ])('is refused, time after time, by who closes %s', async (_what, close) => {
      for (let round = 0; round < ROUNDS; round++) {
        const passive: PassiveSide = openPassive(provider, (request) => {
          close(passive, request);
        });
        const client = openClient(provider, passive);
        const [outcome] = await outcomes([client.connect({ timeout: 5000 })], 'connect');
        expect(['FI_ECONNREFUSED', 'FI_ENOENT']).toContain(outcome);
        client.close();
        passive.fabric.close();
      }
    });

    it('is refused when the listener goes, whose other connections stay', async () => {
      const requests: ConnectionRequest[] = [];
      const both = deferred<undefined>();
      const passive = openPassive(provider, (request) => {
        requests.push(request);
        if (requests.length === 2) both.resolve(undefined);
      });
      const client = openClient(provider, passive);
      const connecting = client.connect();
      const late = openClient(provider, passive);
      await within(
        (async () => {
          while (requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        })(),
        'the first request',
      );
      const server = openConnectable(passive, requests[0]);
      await within(Promise.all([server.accept(), connecting]), 'the connection');
      const refused = outcomes([late.connect({ timeout: 5000 })], 'the refusal');
      await within(both.promise, 'the second request');
      passive.passiveEndpoint.close();
      expect(await refused).toEqual(['FI_ECONNREFUSED']);
      const received = Buffer.alloc(5);
      await within(Promise.all([client.recv(received), server.send(Buffer.from('hello'))]), 'a message');
      expect(received.toString()).toBe('hello');
    });
  });

  it('is refused over sockets when the listener goes before it has seen the request', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const passive = openPassive('sockets');
      const client = openClient('sockets', passive);
      const connecting = outcomes([client.connect({ timeout: 5000 })], 'connect');
      passive.passiveEndpoint.close();
      expect(await connecting).toEqual(['FI_ECONNREFUSED']);
      client.close();
      passive.fabric.close();
    }
  });
});

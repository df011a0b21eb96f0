import { Endpoint, EventQueue, FabricError, type FabricEvent } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import {
  connectionInfo,
  openConnectable,
  openEndpointPair,
  openPassive,
  openSide,
  overEachConnectionProvider,
} from './helpers/connection.js';
import { nextTurn, outcomes, rejection, within } from './helpers/within.js';

describe('EventQueue', () => {
  overEachConnectionProvider((provider) => {
    it('gives user events back, in order, to next() and to iterators', async () => {
      const { eventQueue } = openSide(connectionInfo(provider));
      expect(eventQueue.hasDescriptor).toBe(true);
      expect(eventQueue.read()).toBeUndefined();
      const waiting = eventQueue.next();
      for (const value of [7n, 2n ** 64n - 1n, 0n]) eventQueue.write(value);
      expect(await within(waiting, 'the first event')).toMatchObject({ type: 'FI_NOTIFY', value: 7n });
      const values: unknown[] = [];
      for await (const event of eventQueue) {
        values.push((event as { value?: bigint }).value);
        if (values.length === 2) break;
      }
      expect(values).toEqual([2n ** 64n - 1n, 0n]);
    });

    it('reads without waiting', () => {
      const { eventQueue } = openSide(connectionInfo(provider));
      eventQueue.write(3n);
      expect(eventQueue.read()).toMatchObject({ type: 'FI_NOTIFY', value: 3n });
      expect(eventQueue.read()).toBeUndefined();
    });

    it('keeps events for a listener that comes later, and says what they are about', async () => {
      const { client, server, passive } = await openEndpointPair(provider);
      const here: FabricEvent = await within(client.eventQueue.next(), 'FI_CONNECTED here');
      expect(here).toMatchObject({ type: 'FI_CONNECTED' });
      expect(here.source).toBe(client);
      const [request, there] = [await passive.eventQueue.next(), await passive.eventQueue.next()];
      expect([request.type, there.type]).toEqual(['FI_CONNREQ', 'FI_CONNECTED']);
      expect([request.source, there.source]).toEqual([passive.passiveEndpoint, server]);
      server.shutdown();
      expect(await within(client.eventQueue.next(), 'FI_SHUTDOWN')).toMatchObject({ type: 'FI_SHUTDOWN' });
    });

    it('gives connection requests that no handler takes', async () => {
      const passive = openPassive(provider);
      const client = openConnectable(openSide(connectionInfo(provider, passive.port)));
      const connecting = client.connect({ data: Buffer.from('who') });
      const event = await within(passive.eventQueue.next(), 'the request');
      if (event.type !== 'FI_CONNREQ') throw new Error(`expected FI_CONNREQ, not ${event.type}`);
      const server = openConnectable(passive, event.request);
      await within(Promise.all([server.accept(), connecting]), 'the connection');
      expect([client.state, server.state]).toEqual(['connected', 'connected']);
    });

    it('ends what waits when it is closed, or when a signal says so', async () => {
      const { eventQueue } = openSide(connectionInfo(provider));
      const controller = new AbortController();
      const aborted = eventQueue.next({ signal: controller.signal });
      const waiting = eventQueue.next();
      const iterated = eventQueue[Symbol.asyncIterator]().next();
      await nextTurn();
      controller.abort();
      expect(await outcomes([aborted], 'the aborted one')).toEqual(['AbortError']);
      eventQueue.close();
      eventQueue.close();
      expect(await rejection(waiting, 'next()')).toMatchObject({ code: 'FI_ECANCELED' });
      expect(await within(iterated, 'the iterator')).toEqual({ done: true, value: undefined });
      expect(() => eventQueue.read()).toThrow(FabricError);
    });

    it('refuses what cannot be', () => {
      const { eventQueue, fabric } = openSide(connectionInfo(provider));
      expect(() => {
        eventQueue.write(-1n);
      }).toThrow(RangeError);
      expect(() => new EventQueue(fabric, { size: -1 })).toThrow(RangeError);
      expect(() => new EventQueue({} as never)).toThrow(TypeError);
    });
  });

  it('is there for the errors of endpoints without connections too', async () => {
    const { select } = await import('node-libfabric');
    const endpoint = Endpoint.open(select({ prefer: 'sockets' }).info);
    expect(endpoint.eventQueue).toBeInstanceOf(EventQueue);
    endpoint.close();
    expect(endpoint.eventQueue?.closed).toBe(true);
  });
});

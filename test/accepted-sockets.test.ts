import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AddressVector, CompletionBatch, CompletionQueue, Domain, Endpoint, Fabric } from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPassive, overEachConnectionProvider } from './helpers/connection.js';
import { overEachProvider } from './helpers/providers.js';
import { until, within } from './helpers/within.js';

/** A socket that connects, and then says nothing. */
async function connectSilently(port: number): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await within(once(socket, 'connect'), 'the socket');
  // whoever listens has to notice its end
  socket.resume();
  return { socket, closed };
}

/** Lets the provider accept. */
async function settle(read: () => unknown): Promise<void> {
  const start = performance.now();
  await until(() => {
    read();
    return performance.now() - start > 50;
  }, 'progress');
}

describe('a socket that has connected to an endpoint, and said nothing yet', () => {
  overEachProvider(
    (info) => {
      it('ends with the endpoint, and does no harm to its neighbour', async () => {
        using fabric = new Fabric(info);
        const domain = new Domain(fabric);
        const addressVector = new AddressVector(domain);
        const completionQueue = new CompletionQueue(domain);
        const [one, two] = [0, 1].map(() => new Endpoint(domain, { completionQueue, addressVector }));
        const batch = new CompletionBatch(8);
        const progress = (): number => completionQueue.read(batch);
        const { socket, closed } = await connectSilently(one!.address.readUInt16BE(2));
        await settle(progress);
        socket.write(Buffer.alloc(3));
        one!.close();
        socket.write(Buffer.alloc(300));
        await settle(progress);
        await within(closed, 'the end of the socket');
        const self = addressVector.insert(two!.address);
        const [buffer, message] = [Buffer.alloc(4), Buffer.from('well')];
        await within(Promise.all([two!.recv(buffer), two!.send(message, self)]), 'a message');
        expect(buffer).toEqual(message);
      });
    },
    ['net', 'tcp', 'tcp;ofi_rxm'],
  );

  overEachConnectionProvider((provider) => {
    it('ends with the passive endpoint, and does no harm to its event queue', async () => {
      const { passiveEndpoint, port, eventQueue } = openPassive(provider);
      const { socket, closed } = await connectSilently(port);
      await settle(() => eventQueue.read());
      passiveEndpoint.close();
      socket.write(Buffer.alloc(300));
      await settle(() => eventQueue.read());
      // sockets itself keeps it, in a thread that has ended
      if (provider !== 'sockets') await within(closed, 'the end of the socket');
    });
  });
});

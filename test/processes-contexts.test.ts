import {
  AddressVector,
  CompletionQueue,
  Domain,
  Endpoint,
  Fabric,
  ScalableEndpoint,
  SharedTransmitContext,
  type EndpointContext,
  type SharedReceiveContext,
} from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { OtherProcess } from './helpers/other-process.js';
import { openEndpoint } from './helpers/pair.js';
import { infoOf, overEachProvider } from './helpers/providers.js';
import { outcomes, within } from './helpers/within.js';

interface Kept {
  receives: readonly (SharedReceiveContext | EndpointContext)[];
}

describe('contexts of another process', () => {
  overEachProvider(
    (_, provider) => {
      const there = new OtherProcess<Kept>();

      const openDomain = (): Domain => {
        const info = infoOf(provider);
        const fabric = new Fabric(info);
        onTestFinished(() => {
          fabric.close();
        });
        return new Domain(fabric, info);
      };
      /** Has its endpoints there closed when the test has ended. */
      const closeThere = (): void => {
        onTestFinished(() =>
          there.run(({ closeAll }) => {
            closeAll();
          }),
        );
      };
      /** Receives there, on one of its contexts. */
      const receive = (context: number, size: number) =>
        there.run(
          async ({ kept }, index, length) => {
            const buffer = Buffer.alloc(length);
            const completion = await kept.receives[index]!.recv(buffer);
            return buffer.subarray(0, completion.length);
          },
          context,
          size,
        );

      /** Two endpoints there that share a receive context. @returns their addresses. */
      const openShared = () => {
        closeThere();
        return there.run(({ fabric, infoOf, opened, kept }, name) => {
          const info = infoOf(name);
          const domain = new fabric.Domain(opened(new fabric.Fabric(info)), info);
          const bindings = {
            completionQueue: new fabric.CompletionQueue(domain),
            addressVector: new fabric.AddressVector(domain),
          };
          const sharedReceive = new fabric.SharedReceiveContext(domain, bindings.completionQueue);
          kept.receives = [sharedReceive];
          return [1, 2].map(() => new fabric.Endpoint(domain, { ...bindings, sharedReceive }).address);
        }, provider);
      };

      it('take the messages for each endpoint that shares a receive context, from those that share a transmit context', async () => {
        const addresses = await openShared();
        const domain = openDomain();
        const bindings = { completionQueue: new CompletionQueue(domain), addressVector: new AddressVector(domain) };
        const sharedTransmit = new SharedTransmitContext(domain);
        const senders = [1, 2].map(() => new Endpoint(domain, { ...bindings, sharedTransmit }));
        for (const [seed, [sender, address]] of senders
          .flatMap((one) => addresses.map((to) => [one, to] as const))
          .entries()) {
          const receiving = receive(0, 70_000);
          await within(sender.send(pattern(70_000, seed), bindings.addressVector.insert(address)), 'the send');
          expectSame(await receiving, pattern(70_000, seed));
        }
      });

      it('end a shared receive that is too short, and go on', async () => {
        const [first, second] = await openShared();
        const endpoint = openEndpoint(infoOf(provider));
        const ended = outcomes([receive(0, 10)], 'the receive');
        await within(endpoint.send(pattern(100), endpoint.addressVector.insert(first!)), 'the send');
        expect(await ended).toEqual(['FI_ETRUNC']);
        const receiving = receive(0, 100);
        await within(endpoint.send(pattern(100), endpoint.addressVector.insert(second!)), 'another send');
        expectSame(await receiving, pattern(100));
      });

      it('are addressed one by one, where an endpoint is scalable', async () => {
        closeThere();
        const address = await there.run(({ fabric, infoOf, opened, kept }, name) => {
          const info = infoOf(name);
          const domain = new fabric.Domain(opened(new fabric.Fabric(info)), info);
          const vector = new fabric.AddressVector(domain, { receiveContextBits: 4 });
          const endpoint = new fabric.ScalableEndpoint(domain, vector, { receiveContexts: 3 });
          kept.receives = [0, 1, 2].map((index) => endpoint.receiveContext(index, new fabric.CompletionQueue(domain)));
          return endpoint.address;
        }, provider);
        const domain = openDomain();
        const vector = new AddressVector(domain, { receiveContextBits: 4 });
        const sender = new ScalableEndpoint(domain, vector, { transmitContexts: 2 });
        const transmits = [0, 1].map((index) => sender.transmitContext(index, new CompletionQueue(domain)));
        const peer = vector.insert(address);
        // the last first: each receive takes what is for its context
        const receives = [2, 1, 0].map((index) => receive(index, 500));
        for (const index of [0, 1, 2]) {
          const transmit = transmits[index % 2]!;
          await within(transmit.send(pattern(500, index), vector.receiveContext(peer, index)), 'the send');
        }
        for (const [at, bytes] of (await Promise.all(receives)).entries()) expectSame(bytes, pattern(500, 2 - at));
      });
    },
    ['sockets'],
  );
});

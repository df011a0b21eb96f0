import { AddressVector, CompletionQueue, Domain, Fabric, ScalableEndpoint, type Info } from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { overEachProvider } from './helpers/providers.js';
import { outcomes, within } from './helpers/within.js';

function openDomain(info: Info) {
  const fabric = new Fabric(info);
  onTestFinished(() => {
    fabric.close();
  });
  const domain = new Domain(fabric);
  return { domain, addressVector: new AddressVector(domain, { receiveContextBits: 4 }) };
}

describe('ScalableEndpoint', () => {
  overEachProvider(
    (info) => {
      it('delivers to the receive context that a peer addresses, each with a queue of its own', async () => {
        const { domain, addressVector } = openDomain(info);
        const sender = new ScalableEndpoint(domain, addressVector, { transmitContexts: 2 });
        const receiver = new ScalableEndpoint(domain, addressVector, { receiveContexts: 3 });
        const transmits = [0, 1].map((index) => sender.transmitContext(index, new CompletionQueue(domain)));
        const receives = [0, 1, 2].map((index) => receiver.receiveContext(index, new CompletionQueue(domain)));
        const peer = addressVector.insert(receiver.address);
        for (const [index, context] of receives.entries()) {
          const buffer = Buffer.alloc(500);
          const receiving = context.recv(buffer);
          const transmit = transmits[index % 2]!;
          await within(transmit.send(pattern(500, index), addressVector.receiveContext(peer, index)), 'the send');
          await within(receiving, `the receive of context ${index}`);
          expectSame(buffer, pattern(500, index));
        }
      });

      it('closes its contexts with itself, and rejects what is posted to them', async () => {
        const { domain, addressVector } = openDomain(info);
        const endpoint = new ScalableEndpoint(domain, addressVector);
        const context = endpoint.receiveContext(0, new CompletionQueue(domain));
        const ended = outcomes([context.recv(Buffer.alloc(10))], 'the receive');
        endpoint.close();
        endpoint.close();
        expect(context.closed).toBe(true);
        expect(await ended).toEqual(['FI_ECANCELED']);
      });

      it('has contexts of one direction, and as many as were asked for', () => {
        const { domain, addressVector } = openDomain(info);
        const endpoint = new ScalableEndpoint(domain, addressVector);
        const transmit = endpoint.transmitContext(0, new CompletionQueue(domain));
        const receive = endpoint.receiveContext(0, new CompletionQueue(domain));
        expect(() => transmit.recv(Buffer.alloc(1))).toThrow('this EndpointContext can only transmit');
        expect(() => receive.send(Buffer.alloc(1), 0)).toThrow('this EndpointContext can only receive');
        expect(() => endpoint.transmitContext(1, new CompletionQueue(domain))).toThrow(RangeError);
        expect(() => new ScalableEndpoint(domain, addressVector, { transmitContexts: 10_000 })).toThrow(
          `options.transmitContexts: expected an integer from 1 to ${info.domainAttr.maxEpTxCtx} (domainAttr.maxEpTxCtx)`,
        );
      });

      it('addresses only contexts that the vector has bits for', () => {
        const { domain, addressVector } = openDomain(info);
        const endpoint = new ScalableEndpoint(domain, addressVector);
        const peer = addressVector.insert(endpoint.address);
        expect(() => addressVector.receiveContext(peer, 16)).toThrow('context: expected an integer below 16');
        expect(() => new AddressVector(domain, { receiveContextBits: 17 })).toThrow(RangeError);
      });
    },
    ['sockets'],
  );
});

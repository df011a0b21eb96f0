import {
  AddressVector,
  CompletionQueue,
  Domain,
  Endpoint,
  Fabric,
  SharedReceiveContext,
  SharedTransmitContext,
  type Info,
} from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectSame, pattern } from './helpers/bytes.js';
import { openEndpoint } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';
import { outcomes, within } from './helpers/within.js';

function openSet(info: Info) {
  const fabric = new Fabric(info);
  onTestFinished(() => {
    fabric.close();
  });
  const domain = new Domain(fabric);
  return { fabric, domain, completionQueue: new CompletionQueue(domain), addressVector: new AddressVector(domain) };
}

describe('SharedReceiveContext', () => {
  overEachProvider(
    (info) => {
      it('takes the messages of every endpoint that shares it', async () => {
        const { domain, ...bindings } = openSet(info);
        const sharedReceive = new SharedReceiveContext(domain, bindings.completionQueue);
        const endpoints = [1, 2, 3].map(() => new Endpoint(domain, { ...bindings, sharedReceive }));
        const peer = openEndpoint(info);
        for (const [index, endpoint] of endpoints.entries()) {
          const buffer = Buffer.alloc(100);
          const receiving = sharedReceive.recv(buffer);
          await within(peer.send(pattern(100, index), peer.addressVector.insert(endpoint.address)), 'the send');
          await within(receiving, 'the receive');
          expectSame(buffer, pattern(100, index));
        }
      });

      it('only receives', () => {
        const { domain, completionQueue } = openSet(info);
        const context = new SharedReceiveContext(domain, completionQueue);
        expect(() => context.send(Buffer.alloc(1), 0)).toThrow('this SharedReceiveContext can only receive');
        expect(() => context.send(Buffer.alloc(1))).toThrow(TypeError);
        expect(() => context.postInject(Buffer.alloc(1), -1)).toThrow('this SharedReceiveContext can only receive');
      });

      it('rejects what is posted to it when it is closed, after the endpoints that share it', async () => {
        const { domain, ...bindings } = openSet(info);
        const sharedReceive = new SharedReceiveContext(domain, bindings.completionQueue);
        const endpoint = new Endpoint(domain, { ...bindings, sharedReceive });
        const pending = sharedReceive.recv(Buffer.alloc(10));
        const ended = outcomes([pending], 'the receive');
        sharedReceive.close();
        expect(endpoint.closed).toBe(true);
        expect(await ended).toEqual(['FI_ECANCELED']);
        expect(() => sharedReceive.recv(Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'FI_EBADF' }));
      });

      it('refuses an endpoint with another completion queue, and objects of another domain', () => {
        const { domain, ...bindings } = openSet(info);
        const sharedReceive = new SharedReceiveContext(domain, bindings.completionQueue);
        const completionQueue = new CompletionQueue(domain);
        expect(() => new Endpoint(domain, { ...bindings, completionQueue, sharedReceive })).toThrow(
          'bindings.sharedReceive: has another completion queue than bindings.completionQueue',
        );
        const { domain: other } = openSet(info);
        expect(() => new SharedReceiveContext(other, bindings.completionQueue)).toThrow(
          'completionQueue: belongs to another domain',
        );
      });
    },
    ['sockets'],
  );
});

describe('SharedTransmitContext', () => {
  overEachProvider(
    (info) => {
      it('sends for every endpoint that shares it', async () => {
        const { domain, ...bindings } = openSet(info);
        const sharedTransmit = new SharedTransmitContext(domain);
        const endpoints = [1, 2].map(() => new Endpoint(domain, { ...bindings, sharedTransmit }));
        const peer = openEndpoint(info);
        const toPeer = bindings.addressVector.insert(peer.address);
        for (const [index, endpoint] of endpoints.entries()) {
          const buffer = Buffer.alloc(100);
          const receiving = peer.recv(buffer);
          await within(endpoint.send(pattern(100, index), toPeer), 'the send');
          await within(receiving, 'the receive');
          expectSame(buffer, pattern(100, index));
        }
        sharedTransmit.close();
        expect(endpoints.map(({ closed }) => closed)).toEqual([true, true]);
      });
    },
    ['sockets'],
  );

  overEachProvider(
    (info) => {
      it('is refused with a FabricError where the provider has none', () => {
        const { domain } = openSet(info);
        expect(() => new SharedTransmitContext(domain)).toThrow(
          expect.objectContaining({ name: 'FabricError', syscall: 'fi_stx_context' }),
        );
      });
    },
    ['net', 'tcp;ofi_rxm', 'udp;ofi_rxd'],
  );
});

import { ERRORS, type ConnectionRequest } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { binding } from '../lib/binding.js';
import { handleOf } from '../lib/resource.js';
import {
  connectionInfo,
  deferred,
  openConnectable,
  openPassive,
  openSide,
  overEachConnectionProvider,
} from './helpers/connection.js';
import { rejection, within } from './helpers/within.js';

describe('private data', () => {
  overEachConnectionProvider((provider) => {
    it('longer than the provider carries reaches no provider', async () => {
      const request = deferred<ConnectionRequest>();
      const passive = openPassive(provider, request.resolve);
      const client = openConnectable(openSide(connectionInfo(provider, passive.port)));
      const fits = Buffer.alloc(client.dataSize);
      for (const tooLong of [Buffer.alloc(client.dataSize + 1), Buffer.alloc(100_000)]) {
        await expect(client.connect({ data: tooLong })).rejects.toThrow(RangeError);
        expect(binding.endpointConnect(handleOf(client), client.info.destAddr!, tooLong)).toBe(-ERRORS.FI_EMSGSIZE);
      }
      // none of these has used up the one connect of the endpoint
      const connecting = client.connect({ data: fits });
      const asked = await within(request.promise, 'the request');
      for (const tooLong of [Buffer.alloc(passive.passiveEndpoint.dataSize + 1), Buffer.alloc(100_000)]) {
        expect(() => {
          asked.reject(tooLong);
        }).toThrow(RangeError);
        expect(binding.connectionRequestReject(handleOf(asked), tooLong)).toBe(-ERRORS.FI_EMSGSIZE);
      }
      const server = openConnectable(passive, asked);
      for (const tooLong of [Buffer.alloc(server.dataSize + 1), Buffer.alloc(100_000)]) {
        await expect(server.accept({ data: tooLong })).rejects.toThrow(RangeError);
        expect(binding.endpointAccept(handleOf(server), tooLong)).toBe(-ERRORS.FI_EMSGSIZE);
      }
      await within(Promise.all([server.accept({ data: fits }), connecting]), 'the connection');
      expect(await rejection(client.connect({ data: fits }), 'connecting twice')).toMatchObject({ code: 'FI_EISCONN' });
    });
  });
});

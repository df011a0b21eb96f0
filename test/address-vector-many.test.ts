import { AddressVector, FabricError, type Info } from 'node-libfabric';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEndpoint } from './helpers/pair.js';
import { overEachProvider } from './helpers/providers.js';
import { within } from './helpers/within.js';

/** `count` endpoints, and a vector of the first one's domain. */
function open(info: Info, count: number) {
  const endpoints = Array.from({ length: count }, () => openEndpoint(info));
  return { endpoints, vector: endpoints[0]!.addressVector };
}

const port = (address: Buffer): number => address.readUInt16BE(2);

describe('AddressVector', () => {
  // udp;ofi_rxd looks up only what it has talked to.
  overEachProvider(
    (info) => {
      it('inserts many peers at once, each of which can be reached', async () => {
        const { endpoints, vector } = open(info, 4);
        const indices = vector.insertMany(endpoints.map(({ address }) => address));
        expect(new Set(indices).size).toBe(4);
        expect(indices.map((index) => vector.lookup(index))).toEqual(
          endpoints.map(({ address }) => vector.lookup(vector.insert(address))),
        );
        const [from, ...others] = endpoints;
        for (const [at, other] of others.entries()) {
          const received = other.recv(new Uint8Array(4));
          await within(Promise.all([from!.send(Buffer.from('here'), indices[at + 1]), received]), 'a message');
          expect((await received).length).toBe(4);
        }
      });

      it('removes many peers, all or none', () => {
        const { endpoints, vector } = open(info, 3);
        const indices = vector.insertMany(endpoints.map(({ address }) => address));
        expect(() => {
          vector.removeMany([indices[0]!, 1 << 20]);
        }).toThrow(FabricError);
        expect(() => {
          vector.removeMany([indices[0]!, indices[0]!]);
        }).toThrow(/FI_EINVAL/);
        expect(vector.lookup(indices[0]!)).toBeInstanceOf(Buffer);
        vector.removeMany(indices);
        for (const index of indices) expect(() => vector.lookup(index)).toThrow(/FI_EINVAL/);
        vector.removeMany([]);
        expect(vector.insertMany([])).toEqual([]);
      });
    },
    ['shm', 'net', 'tcp', 'tcp;ofi_rxm', 'sockets'],
  );

  overEachProvider(
    (info) => {
      it('finds a peer by host and port', async () => {
        const { endpoints, vector } = open(info, 2);
        const [from, to] = endpoints;
        const index = vector.insertService('127.0.0.1', port(to!.address));
        const received = to!.recv(new Uint8Array(8));
        await within(Promise.all([from!.send(Buffer.from('by name'), index), received]), 'a message');
        expect(port(vector.lookup(vector.insertService('localhost', '7471')))).toBe(7471);
      });
    },
    ['net', 'tcp;ofi_rxm', 'sockets'],
  );

  overEachProvider(
    (info) => {
      it('inserts a cluster from its first address', () => {
        const { vector } = open(info, 1);
        const indices = vector.insertSymmetric({ node: '127.0.0.1', service: 5000 }, 3, 2);
        expect(indices.map((index) => vector.straddr(vector.lookup(index)))).toEqual(
          ['1:5000', '1:5001', '2:5000', '2:5001', '3:5000', '3:5001'].map((end) => `fi_sockaddr_in://127.0.0.${end}`),
        );
      });

      it('refuses what the provider would read out of bounds', () => {
        const { vector } = open(info, 1);
        for (const node of ['', '123', '::1', 'a\0b', 'x'.repeat(64)]) {
          expect(() => vector.insertService(node, 1)).toThrow(RangeError);
          expect(() => vector.insertSymmetric({ node, service: 1 }, 1, 1)).toThrow(RangeError);
        }
        expect(() => vector.insertService(7 as never, 1)).toThrow(TypeError);
        expect(() => vector.insertService('localhost', 65536)).toThrow(/service: expected a port/);
        expect(() => vector.insertSymmetric({ node: '127.0.0.1', service: 1 }, 300, 300)).toThrow(/more than 65536/);
        expect(() => vector.insertSymmetric({ node: '127.0.0.1', service: 1 }, 0, 1)).toThrow(/nodeCount/);
        expect(() => vector.insertSymmetric({ node: '127.0.0.1', service: 65_535 }, 1, 2)).toThrow(/first\.service/);
        expect(() => vector.insertSymmetric({ node: '127.0.0.1', service: 'ssh' as never }, 1, 1)).toThrow(/service/);
        expect(() => vector.insertService('no-such-host.invalid', 1)).toThrow(FabricError);
      });
    },
    ['net', 'tcp;ofi_rxm'],
  );

  overEachProvider(
    (info) => {
      it('has no peers by host where addresses are something else', () => {
        expect(() => open(info, 1).vector.insertService('localhost', 1)).toThrow(/FI_ENOSYS/);
      });
    },
    ['shm', 'udp;ofi_rxd'],
  );

  overEachProvider(
    (info) => {
      it('refuses lists with something that is no address', () => {
        const { endpoints, vector } = open(info, 1);
        const { address } = endpoints[0]!;
        expect(() => vector.insertMany([address, Buffer.alloc(0)])).toThrow(/addresses\[1\]/);
        expect(() => vector.insertMany(7 as never)).toThrow(TypeError);
        const other = new AddressVector(endpoints[0]!.domain);
        onTestFinished(() => {
          other.close();
        });
        other.close();
        expect(() => other.insertMany([address])).toThrow(/FI_EBADF/);
      });
    },
    ['net', 'shm'],
  );
});

import { describe, expect, it } from 'vitest';
import type { Info } from 'node-libfabric';
import {
  formatSocketAddress,
  hostOfDataAddress,
  preferControlAddress,
  readSocketAddress,
} from '../../lib/bench/data-address.js';

const ipv4 = (...address: number[]): Uint8Array => Uint8Array.of(2, 0, 0x1d, 0x2f, ...address, 0, 0, 0, 0, 0, 0, 0, 0);
const ipv6 = (first: number, last: number): Uint8Array => {
  const bytes = new Uint8Array(28);
  bytes.set([10, 0, 0x1d, 0x2f]);
  bytes.set([first >> 8, first & 0xff], 8);
  bytes.set([last >> 8, last & 0xff], 22);
  return bytes;
};

describe('readSocketAddress', () => {
  it('reads sockaddr_in and sockaddr_in6', () => {
    expect(readSocketAddress('FI_SOCKADDR_IN', ipv4(10, 0, 0, 1))).toEqual({
      family: 4,
      address: '10.0.0.1',
      port: 7471,
    });
    expect(readSocketAddress('FI_SOCKADDR_IN6', ipv6(0xfe80, 1))).toEqual({
      family: 6,
      address: 'fe80::1',
      port: 7471,
    });
  });

  it('leaves alone what is no socket address, or too short for one', () => {
    expect(readSocketAddress('FI_ADDR_STR', ipv4(10, 0, 0, 1))).toBeUndefined();
    expect(readSocketAddress('FI_SOCKADDR_IN', Uint8Array.of(2, 0))).toBeUndefined();
  });
});

describe('hostOfDataAddress', () => {
  it('finds the host in what formatSocketAddress writes', () => {
    expect(hostOfDataAddress(formatSocketAddress({ family: 4, address: '10.0.0.1', port: 1 }))).toBe('10.0.0.1');
    expect(hostOfDataAddress(formatSocketAddress({ family: 6, address: 'fe80::1', port: 1 }))).toBe('fe80::1');
  });

  it('finds none in the addresses of other providers', () => {
    expect(hostOfDataAddress('fi_shm://123:0:0')).toBeUndefined();
    expect(hostOfDataAddress('fi_addr_efa://[fe80::1]:0:123')).toBeUndefined();
  });
});

describe('preferControlAddress', () => {
  const info = (name: string, addrFormat: string, srcAddr?: Uint8Array): Info =>
    ({ domainAttr: { name }, addrFormat, srcAddr }) as unknown as Info;
  const wired = info('eth0', 'FI_SOCKADDR_IN', ipv4(10, 0, 0, 1));
  const second = info('eth1', 'FI_SOCKADDR_IN', ipv4(10, 1, 0, 1));
  const global6 = info('eth0', 'FI_SOCKADDR_IN6', ipv6(0xfd00, 1));
  const link6 = info('eth0', 'FI_SOCKADDR_IN6', ipv6(0xfe80, 1));
  const loop = info('lo', 'FI_SOCKADDR_IN', ipv4(127, 0, 0, 1));
  const loop6 = info('lo', 'FI_SOCKADDR_IN6', ipv6(0, 1));
  const all = [link6, wired, second, global6, loop, loop6];

  it.each([
    ['10.1.0.1', second],
    ['10.0.0.1', wired],
    ['127.0.0.1', loop],
    ['::1', loop6],
    ['fd00::1', global6],
    ['fd00:0:0:0::1', global6],
    ['fe80::1%eth0', link6],
  ])('takes the interface of control address %s first', (control, expected) => {
    expect(preferControlAddress(all, control)[0]).toBe(expected);
  });

  it('prefers the same family, and what leads somewhere, where no interface has the address', () => {
    expect(preferControlAddress(all, '192.0.2.9')).toEqual([wired, second, global6, link6, loop, loop6]);
    expect(preferControlAddress(all, 'fd99::9')[0]).toBe(global6);
  });

  it('keeps the order of what has no socket address', () => {
    const devices = ['rdmap0', 'rdmap1'].map((name) => info(name, 'FI_ADDR_EFA', new Uint8Array(32)));
    expect(preferControlAddress(devices, '10.0.0.1')).toEqual(devices);
  });
});

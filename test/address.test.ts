import { ADDRESS_FORMATS } from 'node-libfabric';
import { describe, expect, it } from 'vitest';
import { checkAddressBytes } from '../lib/address.js';

type Format = keyof typeof ADDRESS_FORMATS;

const AF_INET = 2;
const AF_INET6 = 10;

/** `length` bytes that start with an address family, as in every sockaddr on Linux. */
function socketAddress(family: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt16LE(family, 0);
  return bytes;
}

/** struct sockaddr_in and the like, in bytes. */
const LENGTHS: readonly (readonly [Format, number])[] = [
  ['FI_SOCKADDR_IN', 16],
  ['FI_SOCKADDR_IN6', 28],
  ['FI_SOCKADDR_IB', 48],
  ['FI_ADDR_PSMX', 8],
  ['FI_ADDR_PSMX2', 16],
  ['FI_ADDR_PSMX3', 32],
  ['FI_ADDR_IB_UD', 32],
  ['FI_ADDR_EFA', 32],
];

describe('the bytes of an address', () => {
  it.each(LENGTHS)('are exactly as many as %s has: %i', (format, length) => {
    checkAddressBytes(Buffer.alloc(length), format, 'address');
    for (const wrong of [1, length - 1, length + 1]) {
      const check = (): void => {
        checkAddressBytes(Buffer.alloc(wrong), format, 'address');
      };
      expect(check).toThrow(RangeError);
      expect(check).toThrow(
        `address: ${format} has ${length} bytes, not ${wrong} bytes; was it made by another provider?`,
      );
    }
  });

  it.each(['FI_SOCKADDR', 'FI_FORMAT_UNSPEC'] as const)('are as many as their family says in %s', (format) => {
    checkAddressBytes(socketAddress(AF_INET, 16), format, 'address');
    checkAddressBytes(socketAddress(AF_INET6, 28), format, 'address');
    const check = (family: number, length: number) => () => {
      checkAddressBytes(socketAddress(family, length), format, 'address');
    };
    expect(check(AF_INET, 28)).toThrow(`address: ${format} has 16 bytes, not 28 bytes`);
    expect(check(AF_INET6, 16)).toThrow(`address: ${format} has 28 bytes, not 16 bytes`);
    expect(check(77, 16)).toThrow(`address: ${format} has a sockaddr_in or sockaddr_in6, not 16 bytes`);
    expect(check(AF_INET, 2)).toThrow(RangeError);
  });

  it.each(['FI_SOCKADDR', 'FI_FORMAT_UNSPEC', 'FI_SOCKADDR_IN'] as const)('are never just one in %s', (format) => {
    expect(() => {
      checkAddressBytes(Buffer.from([AF_INET]), format, 'address');
    }).toThrow(RangeError);
  });

  it('are of any length in FI_ADDR_STR, and in formats that have none of their own', () => {
    for (const format of ['FI_ADDR_STR', 'FI_ADDR_UCX', 'FI_ADDR_OPX'] as const) {
      for (const length of [1, 5, 100, 1024]) checkAddressBytes(Buffer.alloc(length, 0x61), format, 'address');
    }
    checkAddressBytes(Buffer.alloc(3), 4711, 'address');
  });

  it.each([0, 1025])('are not %i, whatever the format is', (length) => {
    for (const format of Object.keys(ADDRESS_FORMATS) as Format[]) {
      const check = (): void => {
        checkAddressBytes(Buffer.alloc(length), format, 'info.srcAddr');
      };
      expect(check).toThrow(RangeError);
      expect(check).toThrow(`info.srcAddr: expected 1 to 1024 bytes, not ${length}`);
    }
  });

  it.each(['fi_sockaddr_in://127.0.0.1:1', [2, 0], new ArrayBuffer(16), undefined, null])('are not %s', (value) => {
    const check = (): void => {
      checkAddressBytes(value as never, 'FI_SOCKADDR_IN', 'address');
    };
    expect(check).toThrow(TypeError);
    expect(check).toThrow(/^address: expected a Uint8Array, not /);
  });

  it('may be any Uint8Array, also a part of a larger buffer', () => {
    checkAddressBytes(new Uint8Array(16), 'FI_SOCKADDR_IN', 'address');
    checkAddressBytes(Buffer.alloc(64).subarray(7, 23), 'FI_SOCKADDR_IN', 'address');
  });
});

import type { Info } from '../index.js';

/** An internet address of an endpoint: `address` as text, `port` 0 until the endpoint is open. */
export interface SocketAddress {
  family: 4 | 6;
  address: string;
  port: number;
}

/** Reads sockaddr_in or sockaddr_in6 as libfabric has them; undefined for other address formats. */
export function readSocketAddress(format: Info['addrFormat'], bytes: Uint8Array): SocketAddress | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === 'FI_SOCKADDR_IN' && bytes.length >= 8) {
    return { family: 4, address: bytes.subarray(4, 8).join('.'), port: view.getUint16(2) };
  }
  if (format === 'FI_SOCKADDR_IN6' && bytes.length >= 24) {
    const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(8 + index * 2));
    const written = groups.map((group) => group.toString(16)).join(':');
    return { family: 6, address: canonical(written), port: view.getUint16(2) };
  }
  return undefined;
}

/** `10.0.0.1:7471` or `[fe80::1]:7471`, for people. */
export function formatSocketAddress({ family, address, port }: SocketAddress): string {
  return family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}

/** The address in what `formatSocketAddress` wrote; undefined for addresses that are no sockets'. */
export function hostOfDataAddress(dataAddress: string): string | undefined {
  return /^(?:\[([0-9a-f:]+)\]|(\d+\.\d+\.\d+\.\d+)):\d+$/.exec(dataAddress)?.slice(1).find(Boolean);
}

/**
 * Puts first what leaves from the local address of the control connection: that is the way to
 * the peer of which we know that it exists. Where nothing does, the same family is the next best,
 * and loopback and link-local addresses, which lead nowhere else, are last.
 */
export function preferControlAddress(infos: readonly Info[], controlAddress: string): Info[] {
  const control = canonical(controlAddress);
  const isControlLocal = isLocalOnly(control);
  const rank = (info: Info): number => {
    const source = info.srcAddr && readSocketAddress(info.addrFormat, info.srcAddr);
    if (!source) return 1;
    if (source.address === control) return 0;
    if (isLocalOnly(source.address) !== isControlLocal) return 3;
    return (source.family === 6) === control.includes(':') ? 1 : 2;
  };
  return infos
    .map((info) => ({ info, rank: rank(info) }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ info }) => info);
}

/** Whether an address reaches only this host or this link. */
function isLocalOnly(address: string): boolean {
  return /^(?:127\.|169\.254\.|::1$|fe[89ab])/.test(address);
}

/** One spelling for each IPv6 address, so that two can be compared; IPv4 as it is. */
function canonical(address: string): string {
  const withoutZone = address.replace(/%.*$/, '');
  if (!withoutZone.includes(':')) return withoutZone;
  return new URL(`http://[${withoutZone}]/`).hostname.slice(1, -1);
}

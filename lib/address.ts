/** What bytes an address has to be made of. Providers read as many as the format has, whatever they were given. */
import { isIPv4, isIPv6 } from 'node:net';
import { ERRORS, type ADDRESS_FORMATS } from './constants.js';
import { fabricError, show } from './errors.js';
import type { Enumerated } from './fields.js';

const LENGTHS: Readonly<Record<string, number>> = {
  FI_SOCKADDR_IN: 16,
  FI_SOCKADDR_IN6: 28,
  FI_SOCKADDR_IB: 48,
  FI_ADDR_PSMX: 8,
  FI_ADDR_PSMX2: 16,
  FI_ADDR_PSMX3: 32,
  FI_ADDR_IB_UD: 32,
  FI_ADDR_EFA: 32,
};
/** Longer than any address format known. */
const LONGEST = 1024;
/** sa_family of sockaddr_in and sockaddr_in6, where the format leaves open which it is. */
const FAMILIES: Readonly<Record<number, number>> = { 2: LENGTHS['FI_SOCKADDR_IN']!, 10: LENGTHS['FI_SOCKADDR_IN6']! };

/**
 * Checks the bytes of an address.
 *
 * @throws TypeError or RangeError that names `path`, what was given and what is expected.
 */
export function checkAddressBytes(bytes: Uint8Array, format: Enumerated<typeof ADDRESS_FORMATS>, path: string): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${path}: expected a Uint8Array, not ${show(bytes)}`);
  const length = bytes.byteLength;
  if (length === 0 || length > LONGEST) {
    throw new RangeError(`${path}: expected 1 to ${LONGEST} bytes, not ${length}`);
  }
  // A string of any length; its zero byte is added on the way down.
  if (format === 'FI_ADDR_STR') return;
  const isSocketAddress = format === 'FI_SOCKADDR' || format === 'FI_FORMAT_UNSPEC';
  const expected = isSocketAddress ? FAMILIES[bytes[0]! | (bytes[1]! << 8)] : LENGTHS[format];
  if (expected === undefined ? isSocketAddress : length !== expected) {
    const wanted = expected === undefined ? 'a sockaddr_in or sockaddr_in6' : `${expected} bytes`;
    throw new RangeError(`${path}: ${format} has ${wanted}, not ${length} bytes; was it made by another provider?`);
  }
}

interface Domain {
  readonly addrFormat: Enumerated<typeof ADDRESS_FORMATS>;
  readonly fabricAttr: { readonly provName?: string | undefined };
}

/** libfabric's FI_NAME_MAX: its buffers for names. */
const NAME_LIMIT = 64;

/**
 * Checks a host for fi_av_insertsvc(3) and fi_av_insertsym(3), whose implementations believe what they are given: an
 * address of the other family is read past its end, a name of digits only before its start.
 */
export function checkNode(domain: Domain, node: string, path: string): void {
  if (typeof node !== 'string') throw new TypeError(`${path}: expected a string, not ${show(node)}`);
  if (node.length === 0 || node.length >= NAME_LIMIT || node.includes('\0') || !/[^0-9]/.test(node)) {
    throw new RangeError(
      `${path}: expected a host name or address of up to ${NAME_LIMIT - 1} characters, not ${show(node)}`,
    );
  }
  const format = domain.addrFormat;
  const isFour = format === 'FI_SOCKADDR_IN';
  const isSix = format === 'FI_SOCKADDR_IN6';
  if ((isIPv4(node) && isSix) || (isIPv6(node) && isFour)) {
    throw new RangeError(`${path}: ${show(node)} is not of the address family of the domain, ${format}`);
  }
  const resolves = isFour || (isSix && domain.fabricAttr.provName !== 'sockets');
  if (resolves) return;
  throw fabricError(`the provider ${domain.fabricAttr.provName ?? ''} finds no ${format} by host name`, {
    errno: ERRORS.FI_ENOSYS,
    syscall: 'fi_av_insertsvc',
  });
}

/** The text of a port or of a service's name. */
export function checkService(service: string | number, path: string): string {
  const isPort = typeof service === 'number' && Number.isInteger(service) && service > 0 && service < 65536;
  const isName = typeof service === 'string' && /^[\w-]{1,31}$/.test(service);
  if (!isPort && !isName) {
    throw new RangeError(`${path}: expected a port from 1 to 65535 or the name of a service, not ${show(service)}`);
  }
  return String(service);
}

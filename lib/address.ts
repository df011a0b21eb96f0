/** What bytes an address has to be made of. Providers read as many as the format has, whatever they were given. */
import type { ADDRESS_FORMATS } from './constants.js';
import { show } from './errors.js';
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

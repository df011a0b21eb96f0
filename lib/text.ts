/** libfabric's own words for numbers and structures: fi_tostr(3). Below info.ts, which uses them. */
import { binding, type RawInfo } from './binding.js';
import { show } from './errors.js';
import { requireLibrary } from './library.js';

/** Groups of an fi_info, by the number of their FI_TYPE_… . */
export const INFO_PARTS = { info: 0, txAttr: 5, rxAttr: 6, epAttr: 7, domainAttr: 8, fabricAttr: 9 } as const;

/** What a number can be: the names of enum fi_type whose data is a flag word or an enumeration. */
export const TEXT_TYPES = {
  FI_TYPE_EP_TYPE: 1,
  FI_TYPE_CAPS: 2,
  FI_TYPE_OP_FLAGS: 3,
  FI_TYPE_ADDR_FORMAT: 4,
  FI_TYPE_THREADING: 10,
  FI_TYPE_PROGRESS: 11,
  FI_TYPE_PROTOCOL: 12,
  FI_TYPE_MSG_ORDER: 13,
  FI_TYPE_MODE: 14,
  FI_TYPE_AV_TYPE: 15,
  FI_TYPE_ATOMIC_TYPE: 16,
  FI_TYPE_ATOMIC_OP: 17,
  FI_TYPE_VERSION: 18,
  FI_TYPE_EQ_EVENT: 19,
  FI_TYPE_CQ_EVENT_FLAGS: 20,
  FI_TYPE_MR_MODE: 21,
  FI_TYPE_OP_TYPE: 22,
  FI_TYPE_COLLECTIVE_OP: 24,
  FI_TYPE_HMEM_IFACE: 25,
  FI_TYPE_CQ_FORMAT: 26,
  FI_TYPE_LOG_LEVEL: 27,
  FI_TYPE_LOG_SUBSYS: 28,
} as const;

/**
 * A number in libfabric's words, such as `'FI_MSG, FI_TAGGED'` for flags or `'FI_EP_RDM'` for an enumeration:
 * fi_tostr_r(3).
 *
 * @param type - What the number is; the meaning of its bits depends on it.
 * @throws TypeError for another type, RangeError for what is no unsigned 64-bit integer.
 */
export function toText(type: keyof typeof TEXT_TYPES, value: bigint | number): string {
  if (!Object.hasOwn(TEXT_TYPES, type)) {
    throw new TypeError(`type: ${show(type)} is none of ${Object.keys(TEXT_TYPES).join(', ')}`);
  }
  const fits = typeof value === 'bigint' ? value >= 0n && value < 2n ** 64n : Number.isSafeInteger(value) && value >= 0;
  if (!fits) throw new RangeError(`value: expected an unsigned 64-bit integer, not ${show(value)}`);
  requireLibrary();
  return binding.describeNumber(TEXT_TYPES[type], BigInt(value));
}

/** The text of an fi_info or of one of its groups, as `fi_info -v` prints it. */
export function rawText(raw: RawInfo, part: keyof typeof INFO_PARTS): string {
  requireLibrary();
  return binding.describeInfo(raw, INFO_PARTS[part]).trimEnd();
}

/** Discovery: fi_getinfo(3), and fi_info as plain objects. */
import { inspect } from 'node:util';
import { checkAddressBytes } from './address.js';
import { binding, type RawInfo } from './binding.js';
import { ERRORS, GETINFO_FLAGS } from './constants.js';
import { check, show } from './errors.js';
import { encodeFlags, text, type Field, type FlagsInput } from './fields.js';
import { WHOLE_INFO, type Hints, type Info, type InfoLike } from './info-schema.js';
import { requireLibrary } from './library.js';
import { rawText } from './text.js';

export type { DomainAttr, EpAttr, FabricAttr, Hints, Info, InfoLike, Nic, RxAttr, TxAttr } from './info-schema.js';

/** Where fi_getinfo(3) shall look. */
export interface InfoQuery {
  /** Host name or address: of the peer, or with the flag FI_SOURCE of this end. */
  readonly node?: string | undefined;
  /** Port or service name. */
  readonly service?: string | undefined;
  readonly flags?: FlagsInput<typeof GETINFO_FLAGS> | undefined;
}

const isField = (value: unknown): value is Field<unknown, unknown> =>
  typeof (value as { decode?: unknown }).decode === 'function';

function decodeGroup(raw: RawInfo, schema: object): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(schema) as [string, unknown][]) {
    const value = raw[name];
    const decoded = isField(entry)
      ? entry.decode(value as string)
      : value && decodeGroup(value as RawInfo, entry as object);
    if (decoded !== undefined) shown[name] = decoded;
  }
  return shown;
}

function encodeGroup(given: object, schema: object, path: string): RawInfo {
  const raw: Record<string, RawInfo[string]> = {};
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    const entry = Object.hasOwn(schema, name) ? (schema as Record<string, unknown>)[name] : undefined;
    if (entry === undefined) {
      throw new TypeError(`${path}.${name}: no such field; known are ${Object.keys(schema).join(', ')}`);
    }
    if (value === undefined) continue;
    if (isField(entry)) {
      raw[name] = entry.encode(value, `${path}.${name}`);
    } else if (typeof value === 'object' && value !== null) {
      raw[name] = encodeGroup(value, entry as object, `${path}.${name}`);
    } else {
      throw new TypeError(`${path}.${name}: expected an object, not ${show(value)}`);
    }
  }
  return raw;
}

/** An Info on a console reads like `fi_info -v`. */
function inspectInfo(this: Info, depth: number): string {
  return depth < 0 ? '[Info]' : rawText(encodeInfo(this, 'info'), 'info');
}

/** The readable form of what libfabric said. */
export function decodeInfo(raw: RawInfo): Info {
  return withHidden(decodeGroup(raw, WHOLE_INFO), raw);
}

/** Makes fields an Info, with what it has besides them. */
export function withHidden(fields: object, raw: RawInfo): Info {
  Object.defineProperty(fields, 'raw', { value: raw, enumerable: false });
  Object.defineProperty(fields, inspect.custom, { value: inspectInfo, enumerable: false });
  return fields as Info;
}

/** What every fi_info has. */
const GROUPS = ['txAttr', 'rxAttr', 'epAttr', 'domainAttr', 'fabricAttr'] as const;

/** An Info of what somebody wants to open. @throws TypeError or RangeError for fields that no fi_info has. */
export function completeInfo(info: InfoLike): Info {
  return readInfo(info).wanted;
}

/** What an object is opened with: as somebody wanted it, and as the native side takes it. */
export interface ReadInfo {
  readonly wanted: Info;
  readonly raw: RawInfo;
}

/** Both forms of an Info: reading all fields is most of the work of opening an object, so children take their parent's. */
export function readInfo(info: InfoLike): ReadInfo {
  const raw = encodeInfo(info, 'info');
  for (const group of GROUPS) {
    if ((info[group] as object | undefined) === undefined)
      throw new TypeError(`info.${group}: is missing; begin with what getInfo returns`);
  }
  // Of the copies of an Info, only the Info itself has what libfabric said.
  const isInfo = Object.getOwnPropertyDescriptor(info, 'raw')?.enumerable === false;
  return { wanted: isInfo ? (info as Info) : withHidden(fieldsOf(info), raw), raw };
}

/** All but the raw form, which a copy may have taken along. */
function fieldsOf(info: object): object {
  return Object.fromEntries(Object.entries(info).filter(([name]) => name !== 'raw'));
}

/** The raw form of an Info or of hints. */
export function encodeInfo(info: Hints | InfoLike, name: string): RawInfo {
  if (typeof info !== 'object' || (info as unknown) === null)
    throw new TypeError(`${name}: expected an object, not ${show(info)}`);
  const raw: Record<string, RawInfo[string]> = { ...encodeGroup(fieldsOf(info), WHOLE_INFO, name) };
  for (const field of ['srcAddr', 'destAddr'] as const) {
    const bytes = raw[field] as Uint8Array | undefined;
    if (bytes === undefined) continue;
    checkAddressBytes(bytes, info.addrFormat ?? 'FI_FORMAT_UNSPEC', `${name}.${field}`);
    // Some providers leave out the zero byte at the end, and read on until they find one.
    if (info.addrFormat === 'FI_ADDR_STR' && bytes.at(-1) !== 0) raw[field] = Buffer.concat([bytes, Buffer.alloc(1)]);
  }
  return raw;
}

/**
 * Lists the interfaces that fit, in libfabric's own order, best first: fi_getinfo(3).
 *
 * Without hints everything is listed, as `fi_info` does. An empty list means that nothing fits (-FI_ENODATA);
 * {@link select} says why.
 *
 * @throws TypeError or RangeError for hints that no fi_info has, FabricError when libfabric fails.
 */
export function getInfo(hints?: Hints, query: InfoQuery = {}): Info[] {
  const rawHints = hints === undefined ? undefined : encodeInfo(hints, 'hints');
  const bits = encodeFlags(query.flags ?? 0n, GETINFO_FLAGS, 'query.flags');
  for (const name of ['node', 'service'] as const) {
    if (query[name] !== undefined) text.encode(query[name], `query.${name}`);
  }
  requireLibrary();
  const found = binding.infoGet(query.node, query.service, bits, rawHints);
  if (found === -ERRORS.FI_ENODATA) return [];
  return check(found, 'fi_getinfo', 'cannot list interfaces').map(decodeInfo);
}

/** Discovery: fi_getinfo(3), and fi_info as plain objects. */
import { inspect } from 'node:util';
import { checkAddressBytes } from './address.js';
import { binding, type RawInfo } from './binding.js';
import {
  ADDRESS_FORMATS,
  AV_TYPES,
  BUS_TYPES,
  CAPABILITIES,
  ENDPOINT_TYPES,
  ERRORS,
  GETINFO_FLAGS,
  LINK_STATES,
  MESSAGE_ORDERS,
  MODES,
  MR_MODES,
  OPERATION_FLAGS,
  PROGRESSES,
  PROTOCOLS,
  RESOURCE_MANAGEMENTS,
  THREADINGS,
  TRAFFIC_CLASSES,
} from './constants.js';
import { check, show } from './errors.js';
import {
  bytes,
  encodeFlags,
  enumeration,
  flags,
  pattern,
  size,
  text,
  version,
  type Field,
  type FlagsInput,
} from './fields.js';
import { requireLibrary } from './library.js';
import { rawText } from './text.js';

// The tables name every field once: its kind here, its name by libfabric's in camel case, its type derived from both.

const TX_ATTR = {
  /** Capabilities of the transmit context. */
  caps: flags(CAPABILITIES),
  mode: flags(MODES),
  /** Flags that operations have by default. */
  opFlags: flags(OPERATION_FLAGS),
  msgOrder: flags(MESSAGE_ORDERS),
  compOrder: flags(MESSAGE_ORDERS),
  /** Largest message that inject takes, in bytes. */
  injectSize: size,
  /** How many operations can be outstanding. */
  size,
  iovLimit: size,
  rmaIovLimit: size,
  tclass: enumeration(TRAFFIC_CLASSES),
};

const RX_ATTR = {
  /** Capabilities of the receive context. */
  caps: flags(CAPABILITIES),
  mode: flags(MODES),
  opFlags: flags(OPERATION_FLAGS),
  msgOrder: flags(MESSAGE_ORDERS),
  compOrder: flags(MESSAGE_ORDERS),
  /** Bytes that the provider buffers for messages without a posted receive. */
  totalBufferedRecv: size,
  /** How many receives can be posted. */
  size,
  iovLimit: size,
};

const EP_ATTR = {
  type: enumeration(ENDPOINT_TYPES),
  /** What is spoken on the wire: endpoints of equal protocols can talk, whatever their providers are called. */
  protocol: enumeration(PROTOCOLS),
  protocolVersion: size,
  /** Largest message, in bytes. */
  maxMsgSize: size,
  msgPrefixSize: size,
  maxOrderRawSize: size,
  maxOrderWarSize: size,
  maxOrderWawSize: size,
  memTagFormat: pattern,
  txCtxCnt: size,
  rxCtxCnt: size,
  authKey: bytes,
};

const DOMAIN_ATTR = {
  /** The interface or device: `'eth0'`, `'rdmap0s6-rdm'`. */
  name: text,
  threading: enumeration(THREADINGS),
  controlProgress: enumeration(PROGRESSES),
  dataProgress: enumeration(PROGRESSES),
  resourceMgmt: enumeration(RESOURCE_MANAGEMENTS),
  avType: enumeration(AV_TYPES),
  mrMode: flags(MR_MODES),
  /** Size of a memory key, in bytes. */
  mrKeySize: size,
  /** Size of immediate data, in bytes. */
  cqDataSize: size,
  cqCnt: size,
  epCnt: size,
  txCtxCnt: size,
  rxCtxCnt: size,
  maxEpTxCtx: size,
  maxEpRxCtx: size,
  maxEpStxCtx: size,
  maxEpSrxCtx: size,
  cntrCnt: size,
  mrIovLimit: size,
  caps: flags(CAPABILITIES),
  mode: flags(MODES),
  authKey: bytes,
  maxErrData: size,
  mrCnt: size,
  tclass: enumeration(TRAFFIC_CLASSES),
};

const FABRIC_ATTR = {
  /** The network: `'192.0.2.0/24'`, `'efa'`. */
  name: text,
  /** The provider, with its layers: `'tcp;ofi_rxm'`. */
  provName: text,
  provVersion: version,
  apiVersion: version,
};

const NIC = {
  deviceAttr: {
    name: text,
    deviceId: text,
    deviceVersion: text,
    vendorId: text,
    driver: text,
    firmware: text,
  },
  busAttr: {
    busType: enumeration(BUS_TYPES),
    /** The PCI address: domain, bus, device, function. */
    domainId: size,
    busId: size,
    deviceId: size,
    functionId: size,
  },
  linkAttr: {
    address: text,
    /** In bytes. */
    mtu: size,
    /** In bits per second. */
    speed: size,
    state: enumeration(LINK_STATES),
    networkType: text,
  },
};

const INFO = {
  /** What the interface can do. */
  caps: flags(CAPABILITIES),
  /** What the application has to do; this package does FI_CONTEXT and FI_CONTEXT2 by itself. */
  mode: flags(MODES),
  addrFormat: enumeration(ADDRESS_FORMATS),
  srcAddr: bytes,
  destAddr: bytes,
  txAttr: TX_ATTR,
  rxAttr: RX_ATTR,
  epAttr: EP_ATTR,
  domainAttr: DOMAIN_ATTR,
  fabricAttr: FABRIC_ATTR,
};

interface Schema {
  readonly [field: string]: Field<never, never> | Schema;
}
type Shown<T> = {
  readonly [K in keyof T]: T[K] extends Field<infer S, never> ? S : Shown<T[K]>;
};
type Accepted<T> = {
  readonly [K in keyof T]?:
    (T[K] extends { encode(value: infer I, path: string): unknown } ? I : Accepted<T[K]>) | undefined;
};

/** Transmit attributes: struct fi_tx_attr of fi_getinfo(3). */
export type TxAttr = Shown<typeof TX_ATTR>;
/** Receive attributes: struct fi_rx_attr of fi_getinfo(3). */
export type RxAttr = Shown<typeof RX_ATTR>;
/** Endpoint attributes: struct fi_ep_attr of fi_endpoint(3). */
export type EpAttr = Shown<typeof EP_ATTR>;
/** Domain attributes: struct fi_domain_attr of fi_domain(3). */
export type DomainAttr = Shown<typeof DOMAIN_ATTR>;
/** Fabric attributes: struct fi_fabric_attr of fi_fabric(3). */
export type FabricAttr = Shown<typeof FABRIC_ATTR>;
/** The network interface card, where the provider knows it: fi_nic(3). */
export type Nic = Shown<typeof NIC>;

/**
 * An interface that can be opened: struct fi_info of fi_getinfo(3), with names for flags and enumerations. It can be
 * edited (spread it), stored as JSON, and given back as hints.
 */
export interface Info extends Shown<typeof INFO> {
  readonly nic?: Nic | undefined;
  /** What libfabric itself said, exactly: bigints for its 64-bit values. Not enumerable, and not read back. */
  readonly raw: RawInfo;
}

/** What to look for: any part of an {@link Info}; flags also as one name or as a bigint. */
export type Hints = Accepted<typeof INFO> & { readonly nic?: Accepted<typeof NIC> | undefined };

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

const WHOLE_SCHEMA = { ...INFO, nic: NIC } satisfies Record<string, unknown> as unknown as Schema;

/** An Info on a console reads like `fi_info -v`. */
function inspectInfo(this: Info, depth: number): string {
  return depth < 0 ? '[Info]' : rawText(encodeInfo(this, 'info'), 'info');
}

/** The readable form of what libfabric said. */
export function decodeInfo(raw: RawInfo): Info {
  return withHidden(decodeGroup(raw, WHOLE_SCHEMA), raw);
}

/** Makes fields an Info, with what it has besides them. */
export function withHidden(fields: object, raw: RawInfo): Info {
  Object.defineProperty(fields, 'raw', { value: raw, enumerable: false });
  Object.defineProperty(fields, inspect.custom, { value: inspectInfo, enumerable: false });
  return fields as Info;
}

/** The raw form of an Info or of hints. */
export function encodeInfo(info: Hints | Info, name: string): RawInfo {
  if (typeof info !== 'object' || (info as unknown) === null)
    throw new TypeError(`${name}: expected an object, not ${show(info)}`);
  const raw: Record<string, RawInfo[string]> = { ...encodeGroup(info, WHOLE_SCHEMA, name) };
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

/** struct fi_info, field by field: how each is shown and read back, and the types that follow. */
import type { RawInfo } from './binding.js';
import {
  ADDRESS_FORMATS,
  AV_TYPES,
  BUS_TYPES,
  CAPABILITIES,
  ENDPOINT_TYPES,
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
import { bytes, enumeration, flags, pattern, size, text, version, type Field } from './fields.js';

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

/** Fields and groups of them. */
export interface Schema {
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
 * What can be opened: an {@link Info}, or an edited copy of one, such as `{ ...info, caps: ['FI_MSG'] }` or what came back
 * from JSON.
 */
export interface InfoLike extends Shown<typeof INFO> {
  readonly nic?: Nic | undefined;
  /** Not read. */
  readonly raw?: RawInfo | undefined;
}

/**
 * An interface that can be opened: struct fi_info of fi_getinfo(3), with names for flags and enumerations. It can be
 * edited (spread it), stored as JSON, and given back as hints.
 */
export interface Info extends InfoLike {
  /**
   * What libfabric itself said, exactly: bigints for its 64-bit values. Not enumerable, and not read back. That of an
   * edited copy, as an object that was opened with it has it, is made of its fields.
   */
  readonly raw: RawInfo;
}

/** What to look for: any part of an {@link Info}; flags also as one name or as a bigint. */
export type Hints = Accepted<typeof INFO> & { readonly nic?: Accepted<typeof NIC> | undefined };

export const WHOLE_INFO = { ...INFO, nic: NIC } satisfies Record<string, unknown> as unknown as Schema;

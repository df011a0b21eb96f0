/**
 * libfabric's constants, as its headers have them (fabric.h, fi_domain.h, fi_errno.h of 1.17, and what 2.x added). They
 * are part of its ABI and never change; a test compares each with the installed headers.
 */

/** Names of single bits. */
export type FlagTable = Readonly<Record<string, bigint>>;
/** Names of the values of an enumeration. */
export type EnumTable = Readonly<Record<string, number>>;

/** Capabilities of an interface: `fi_info.caps` and the `caps` of its attributes (fi_getinfo(3)). */
export const CAPABILITIES = {
  FI_MSG: 1n << 1n,
  FI_RMA: 1n << 2n,
  FI_TAGGED: 1n << 3n,
  FI_ATOMIC: 1n << 4n,
  FI_MULTICAST: 1n << 5n,
  FI_COLLECTIVE: 1n << 6n,
  FI_READ: 1n << 8n,
  FI_WRITE: 1n << 9n,
  FI_RECV: 1n << 10n,
  FI_SEND: 1n << 11n,
  FI_REMOTE_READ: 1n << 12n,
  FI_REMOTE_WRITE: 1n << 13n,
  FI_MULTI_RECV: 1n << 16n,
  FI_REMOTE_CQ_DATA: 1n << 17n,
  FI_TRIGGER: 1n << 20n,
  FI_FENCE: 1n << 21n,
  FI_AV_USER_ID: 1n << 41n,
  FI_PEER: 1n << 43n,
  FI_XPU_TRIGGER: 1n << 44n,
  FI_HMEM: 1n << 47n,
  FI_VARIABLE_MSG: 1n << 48n,
  FI_RMA_PMEM: 1n << 49n,
  FI_SOURCE_ERR: 1n << 50n,
  FI_LOCAL_COMM: 1n << 51n,
  FI_REMOTE_COMM: 1n << 52n,
  FI_SHARED_AV: 1n << 53n,
  FI_RMA_EVENT: 1n << 56n,
  FI_SOURCE: 1n << 57n,
  FI_NAMED_RX_CTX: 1n << 58n,
  FI_DIRECTED_RECV: 1n << 59n,
} as const satisfies FlagTable;

/** What the application has to do for the provider: `mode` (fi_getinfo(3)). */
export const MODES = {
  FI_CONTEXT: 1n << 59n,
  FI_MSG_PREFIX: 1n << 58n,
  FI_ASYNC_IOV: 1n << 57n,
  FI_RX_CQ_DATA: 1n << 56n,
  FI_LOCAL_MR: 1n << 55n,
  FI_NOTIFY_FLAGS_ONLY: 1n << 54n,
  FI_RESTRICTED_COMP: 1n << 53n,
  FI_CONTEXT2: 1n << 52n,
  FI_BUFFERED_RECV: 1n << 51n,
} as const satisfies FlagTable;

/** Flags of operations and of their completions (fi_endpoint(3), fi_cq(3)). */
export const OPERATION_FLAGS = {
  FI_MSG: 1n << 1n,
  FI_RMA: 1n << 2n,
  FI_TAGGED: 1n << 3n,
  FI_ATOMIC: 1n << 4n,
  FI_MULTICAST: 1n << 5n,
  FI_READ: 1n << 8n,
  FI_WRITE: 1n << 9n,
  FI_RECV: 1n << 10n,
  FI_SEND: 1n << 11n,
  FI_REMOTE_READ: 1n << 12n,
  FI_REMOTE_WRITE: 1n << 13n,
  FI_MULTI_RECV: 1n << 16n,
  FI_REMOTE_CQ_DATA: 1n << 17n,
  FI_MORE: 1n << 18n,
  FI_PEEK: 1n << 19n,
  FI_TRIGGER: 1n << 20n,
  FI_FENCE: 1n << 21n,
  FI_PRIORITY: 1n << 22n,
  FI_COMPLETION: 1n << 24n,
  FI_INJECT: 1n << 25n,
  FI_INJECT_COMPLETE: 1n << 26n,
  FI_TRANSMIT_COMPLETE: 1n << 27n,
  FI_DELIVERY_COMPLETE: 1n << 28n,
  FI_AFFINITY: 1n << 29n,
  FI_COMMIT_COMPLETE: 1n << 30n,
  FI_MATCH_COMPLETE: 1n << 31n,
  FI_DISCARD: 1n << 58n,
  FI_CLAIM: 1n << 59n,
} as const satisfies FlagTable;

/** Flags of fi_getinfo(3). */
export const GETINFO_FLAGS = {
  FI_PEER: 1n << 43n,
  FI_PROV_ATTR_ONLY: 1n << 54n,
  FI_NUMERICHOST: 1n << 55n,
  FI_SOURCE: 1n << 57n,
} as const satisfies FlagTable;

/** What memory registration demands: `domainAttr.mrMode` (fi_mr(3)). */
export const MR_MODES = {
  FI_MR_BASIC: 1n << 0n,
  FI_MR_SCALABLE: 1n << 1n,
  FI_MR_LOCAL: 1n << 2n,
  FI_MR_RAW: 1n << 3n,
  FI_MR_VIRT_ADDR: 1n << 4n,
  FI_MR_ALLOCATED: 1n << 5n,
  FI_MR_PROV_KEY: 1n << 6n,
  FI_MR_MMU_NOTIFY: 1n << 7n,
  FI_MR_RMA_EVENT: 1n << 8n,
  FI_MR_ENDPOINT: 1n << 9n,
  FI_MR_HMEM: 1n << 10n,
  FI_MR_COLLECTIVE: 1n << 11n,
} as const satisfies FlagTable;

/** Which orders the provider keeps: `msgOrder` and `compOrder` (fi_endpoint(3)). */
export const MESSAGE_ORDERS = {
  FI_ORDER_RAR: 1n << 0n,
  FI_ORDER_RAW: 1n << 1n,
  FI_ORDER_RAS: 1n << 2n,
  FI_ORDER_WAR: 1n << 3n,
  FI_ORDER_WAW: 1n << 4n,
  FI_ORDER_WAS: 1n << 5n,
  FI_ORDER_SAR: 1n << 6n,
  FI_ORDER_SAW: 1n << 7n,
  FI_ORDER_SAS: 1n << 8n,
  FI_ORDER_DATA: 1n << 16n,
  FI_ORDER_RMA_RAR: 1n << 32n,
  FI_ORDER_RMA_RAW: 1n << 33n,
  FI_ORDER_RMA_WAR: 1n << 34n,
  FI_ORDER_RMA_WAW: 1n << 35n,
  FI_ORDER_ATOMIC_RAR: 1n << 36n,
  FI_ORDER_ATOMIC_RAW: 1n << 37n,
  FI_ORDER_ATOMIC_WAR: 1n << 38n,
  FI_ORDER_ATOMIC_WAW: 1n << 39n,
} as const satisfies FlagTable;

/** `epAttr.type` (fi_endpoint(3)). */
export const ENDPOINT_TYPES = {
  FI_EP_UNSPEC: 0,
  FI_EP_MSG: 1,
  FI_EP_DGRAM: 2,
  FI_EP_RDM: 3,
  FI_EP_SOCK_STREAM: 4,
  FI_EP_SOCK_DGRAM: 5,
} as const satisfies EnumTable;

/** `epAttr.protocol`: what is spoken on the wire. Endpoints of equal protocols can talk, whatever their providers are called. */
export const PROTOCOLS = {
  FI_PROTO_UNSPEC: 0,
  FI_PROTO_RDMA_CM_IB_RC: 1,
  FI_PROTO_IWARP: 2,
  FI_PROTO_IB_UD: 3,
  FI_PROTO_PSMX: 4,
  FI_PROTO_UDP: 5,
  FI_PROTO_SOCK_TCP: 6,
  FI_PROTO_MXM: 7,
  FI_PROTO_IWARP_RDM: 8,
  FI_PROTO_IB_RDM: 9,
  FI_PROTO_GNI: 10,
  FI_PROTO_RXM: 11,
  FI_PROTO_RXD: 12,
  FI_PROTO_MLX: 13,
  FI_PROTO_NETWORKDIRECT: 14,
  FI_PROTO_PSMX2: 15,
  FI_PROTO_SHM: 16,
  FI_PROTO_MRAIL: 17,
  FI_PROTO_RSTREAM: 18,
  FI_PROTO_RDMA_CM_IB_XRC: 19,
  FI_PROTO_EFA: 20,
  FI_PROTO_PSMX3: 21,
  FI_PROTO_RXM_TCP: 22,
  FI_PROTO_OPX: 23,
  FI_PROTO_CXI: 24,
  FI_PROTO_XNET: 25,
  FI_PROTO_COLL: 26,
  FI_PROTO_UCX: 27,
  FI_PROTO_SM2: 28,
  FI_PROTO_CXI_RNR: 29,
  FI_PROTO_LPP: 30,
  FI_PROTO_LNX: 31,
} as const satisfies EnumTable;

/** `addrFormat`: what an address is made of. */
export const ADDRESS_FORMATS = {
  FI_FORMAT_UNSPEC: 0,
  FI_SOCKADDR: 1,
  FI_SOCKADDR_IN: 2,
  FI_SOCKADDR_IN6: 3,
  FI_SOCKADDR_IB: 4,
  FI_ADDR_PSMX: 5,
  FI_ADDR_GNI: 6,
  FI_ADDR_BGQ: 7,
  FI_ADDR_MLX: 8,
  FI_ADDR_STR: 9,
  FI_ADDR_PSMX2: 10,
  FI_ADDR_IB_UD: 11,
  FI_ADDR_EFA: 12,
  FI_ADDR_PSMX3: 13,
  FI_ADDR_OPX: 14,
  FI_ADDR_CXI: 15,
  FI_ADDR_UCX: 16,
} as const satisfies EnumTable;

/** `domainAttr.threading` (fi_domain(3)). */
export const THREADINGS = {
  FI_THREAD_UNSPEC: 0,
  FI_THREAD_SAFE: 1,
  FI_THREAD_FID: 2,
  FI_THREAD_DOMAIN: 3,
  FI_THREAD_COMPLETION: 4,
  FI_THREAD_ENDPOINT: 5,
} as const satisfies EnumTable;

/** `domainAttr.controlProgress` and `dataProgress` (fi_domain(3)). */
export const PROGRESSES = {
  FI_PROGRESS_UNSPEC: 0,
  FI_PROGRESS_AUTO: 1,
  FI_PROGRESS_MANUAL: 2,
  FI_PROGRESS_CONTROL_UNIFIED: 3,
} as const satisfies EnumTable;

/** `domainAttr.resourceMgmt` (fi_domain(3)). */
export const RESOURCE_MANAGEMENTS = {
  FI_RM_UNSPEC: 0,
  FI_RM_DISABLED: 1,
  FI_RM_ENABLED: 2,
} as const satisfies EnumTable;

/** `domainAttr.avType` (fi_av(3)). */
export const AV_TYPES = {
  FI_AV_UNSPEC: 0,
  FI_AV_MAP: 1,
  FI_AV_TABLE: 2,
} as const satisfies EnumTable;

/** `tclass` (fi_endpoint(3)). FI_TC_BEST_EFFORT is FI_TC_LABEL. */
export const TRAFFIC_CLASSES = {
  FI_TC_UNSPEC: 0,
  FI_TC_DSCP: 256,
  FI_TC_LABEL: 512,
  FI_TC_LOW_LATENCY: 513,
  FI_TC_DEDICATED_ACCESS: 514,
  FI_TC_BULK_DATA: 515,
  FI_TC_SCAVENGER: 516,
  FI_TC_NETWORK_CTRL: 517,
} as const satisfies EnumTable;

/** `nic.busAttr.busType` (fi_nic(3)). */
export const BUS_TYPES = {
  FI_BUS_UNSPEC: 0,
  FI_BUS_PCI: 1,
} as const satisfies EnumTable;

/** `nic.linkAttr.state` (fi_nic(3)). */
export const LINK_STATES = {
  FI_LINK_UNKNOWN: 0,
  FI_LINK_DOWN: 1,
  FI_LINK_UP: 2,
} as const satisfies EnumTable;

/** Error numbers: those of the system, and libfabric's own from 256 (fi_errno(3)). */
export const ERRORS = {
  FI_EPERM: 1,
  FI_ENOENT: 2,
  FI_EINTR: 4,
  FI_EIO: 5,
  FI_E2BIG: 7,
  FI_EBADF: 9,
  FI_EAGAIN: 11,
  FI_ENOMEM: 12,
  FI_EACCES: 13,
  FI_EFAULT: 14,
  FI_EBUSY: 16,
  FI_ENODEV: 19,
  FI_EINVAL: 22,
  FI_EMFILE: 24,
  FI_ENOSPC: 28,
  FI_ENOSYS: 38,
  FI_ENOMSG: 42,
  FI_ENODATA: 61,
  FI_EOVERFLOW: 75,
  FI_EMSGSIZE: 90,
  FI_ENOPROTOOPT: 92,
  FI_EOPNOTSUPP: 95,
  FI_EADDRINUSE: 98,
  FI_EADDRNOTAVAIL: 99,
  FI_ENETDOWN: 100,
  FI_ENETUNREACH: 101,
  FI_ECONNABORTED: 103,
  FI_ECONNRESET: 104,
  FI_ENOBUFS: 105,
  FI_EISCONN: 106,
  FI_ENOTCONN: 107,
  FI_ESHUTDOWN: 108,
  FI_ETIMEDOUT: 110,
  FI_ECONNREFUSED: 111,
  FI_EHOSTDOWN: 112,
  FI_EHOSTUNREACH: 113,
  FI_EALREADY: 114,
  FI_EINPROGRESS: 115,
  FI_EREMOTEIO: 121,
  FI_ECANCELED: 125,
  FI_EKEYREJECTED: 129,
  FI_EOTHER: 256,
  FI_ETOOSMALL: 257,
  FI_EOPBADSTATE: 258,
  FI_EAVAIL: 259,
  FI_EBADFLAGS: 260,
  FI_ENOEQ: 261,
  FI_EDOMAIN: 262,
  FI_ENOCQ: 263,
  FI_ECRC: 264,
  FI_ETRUNC: 265,
  FI_ENOKEY: 266,
  FI_ENOAV: 267,
  FI_EOVERRUN: 268,
  FI_ENORX: 269,
  FI_ENOMR: 270,
} as const satisfies EnumTable;

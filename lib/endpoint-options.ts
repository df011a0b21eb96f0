/** Options of endpoints, with the types of their values: fi_getopt(3), fi_setopt(3). */
import type { EnumTable } from './constants.js';
import { show } from './errors.js';

const PEER_TO_PEER = ['enabled', 'required', 'preferred', 'disabled'] as const;

/** When a provider moves device memory from peer to peer: FI_HMEM_P2P_ENABLED and so on. */
export type PeerToPeer = (typeof PEER_TO_PEER)[number];

/** How the value of an option is in C and in JavaScript. */
interface Codec<T> {
  /** Bytes of the C type. */
  readonly size: number;
  decode(raw: bigint): T;
  encode(value: T, path: string): bigint;
}

const byteCount: Codec<number> = {
  size: 8,
  decode: (raw) => Number(raw),
  encode(value, path) {
    if (Number.isSafeInteger(value) && value >= 0) return BigInt(value);
    throw new RangeError(`${path}: expected a number of bytes, not ${show(value)}`);
  },
};

const boolean: Codec<boolean> = {
  size: 1,
  decode: (raw) => raw !== 0n,
  encode(value, path) {
    if (typeof value === 'boolean') return value ? 1n : 0n;
    throw new TypeError(`${path}: expected a boolean, not ${show(value)}`);
  },
};

const peerToPeer: Codec<PeerToPeer> = {
  size: 4,
  decode: (raw) => PEER_TO_PEER[Number(raw)] ?? 'enabled',
  encode(value, path) {
    const index = PEER_TO_PEER.indexOf(value);
    if (index >= 0) return BigInt(index);
    throw new TypeError(`${path}: ${show(value)} is none of ${PEER_TO_PEER.join(', ')}`);
  },
};

/** `FI_OPT_…`. Those from FI_OPT_CUDA_API_PERMITTED on came with libfabric 1.18 and 2.0. */
export const ENDPOINT_OPTIONS = {
  /** Bytes below which a multi-receive buffer is given back. */
  FI_OPT_MIN_MULTI_RECV: 0,
  /** Bytes of private data that fi_connect(3) and fi_accept(3) can carry. Read only. */
  FI_OPT_CM_DATA_SIZE: 1,
  /** FI_BUFFERED_RECV: the most that is announced with a message. Before the endpoint is enabled. */
  FI_OPT_BUFFERED_MIN: 2,
  /** FI_BUFFERED_RECV: the largest message that is buffered. Before the endpoint is enabled. */
  FI_OPT_BUFFERED_LIMIT: 3,
  FI_OPT_SEND_BUF_SIZE: 4,
  FI_OPT_RECV_BUF_SIZE: 5,
  FI_OPT_TX_SIZE: 6,
  FI_OPT_RX_SIZE: 7,
  /** FI_HMEM: whether devices talk to each other. */
  FI_OPT_FI_HMEM_P2P: 8,
  /** Whether the provider may call CUDA. */
  FI_OPT_CUDA_API_PERMITTED: 10,
  /** Whether messages on one host may go through shared memory. */
  FI_OPT_SHARED_MEMORY_PERMITTED: 11,
  FI_OPT_MAX_MSG_SIZE: 12,
  FI_OPT_MAX_TAGGED_SIZE: 13,
  FI_OPT_MAX_RMA_SIZE: 14,
  FI_OPT_MAX_ATOMIC_SIZE: 15,
  FI_OPT_INJECT_MSG_SIZE: 16,
  FI_OPT_INJECT_TAGGED_SIZE: 17,
  FI_OPT_INJECT_RMA_SIZE: 18,
  FI_OPT_INJECT_ATOMIC_SIZE: 19,
} as const satisfies EnumTable;

/** The options that are no number of bytes. */
const CODECS = {
  FI_OPT_FI_HMEM_P2P: peerToPeer,
  FI_OPT_CUDA_API_PERMITTED: boolean,
  FI_OPT_SHARED_MEMORY_PERMITTED: boolean,
};

/** The name of an option of endpoints. */
export type EndpointOption = keyof typeof ENDPOINT_OPTIONS;
/** The value of an option: number of bytes, boolean or word. */
export type EndpointOptionValue<T extends EndpointOption> = T extends keyof typeof CODECS
  ? (typeof CODECS)[T] extends Codec<infer Value>
    ? Value
    : never
  : number;

/** How the value of an option is passed. @throws TypeError for an option that does not exist. */
export function optionCodec<T extends EndpointOption>(name: T): Codec<EndpointOptionValue<T>> {
  if (!Object.hasOwn(ENDPOINT_OPTIONS, name)) {
    throw new TypeError(`option: ${show(name)} is none of ${Object.keys(ENDPOINT_OPTIONS).join(', ')}`);
  }
  const codecs: Partial<Record<EndpointOption, unknown>> = CODECS;
  return (codecs[name] ?? byteCount) as Codec<EndpointOptionValue<T>>;
}

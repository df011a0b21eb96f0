/** Options of endpoints, with the types of their values: fi_getopt(3), fi_setopt(3). */
import { show } from './errors.js';

const PEER_TO_PEER = ['enabled', 'required', 'preferred', 'disabled'] as const;

/** When a provider moves device memory from peer to peer: FI_HMEM_P2P_ENABLED and so on. */
export type PeerToPeer = (typeof PEER_TO_PEER)[number];

/** How one option is in C, and how its value is in JavaScript. */
interface Codec<T> {
  readonly number: number;
  /** Bytes of the C type. */
  readonly size: number;
  decode(raw: bigint): T;
  encode(value: T, path: string): bigint;
}

const size = (number: number): Codec<number> => ({
  number,
  size: 8,
  decode: (raw) => Number(raw),
  encode(value, path) {
    if (Number.isSafeInteger(value) && value >= 0) return BigInt(value);
    throw new RangeError(`${path}: expected a number of bytes, not ${show(value)}`);
  },
});

const boolean = (number: number): Codec<boolean> => ({
  number,
  size: 1,
  decode: (raw) => raw !== 0n,
  encode(value, path) {
    if (typeof value === 'boolean') return value ? 1n : 0n;
    throw new TypeError(`${path}: expected a boolean, not ${show(value)}`);
  },
});

const peerToPeer = (number: number): Codec<PeerToPeer> => ({
  number,
  size: 4,
  decode: (raw) => PEER_TO_PEER[Number(raw)] ?? 'enabled',
  encode(value, path) {
    const index = PEER_TO_PEER.indexOf(value);
    if (index >= 0) return BigInt(index);
    throw new TypeError(`${path}: ${show(value)} is none of ${PEER_TO_PEER.join(', ')}`);
  },
});

/** Each option, by libfabric's name. Those from FI_OPT_CUDA_API_PERMITTED on came with libfabric 1.18 and 2.0. */
export const ENDPOINT_OPTIONS = {
  /** Bytes below which a multi-receive buffer is given back. */
  FI_OPT_MIN_MULTI_RECV: size(0),
  /** Bytes of private data that fi_connect(3) and fi_accept(3) can carry. Read only. */
  FI_OPT_CM_DATA_SIZE: size(1),
  /** FI_BUFFERED_RECV: the most that is announced with a message. Before the endpoint is enabled. */
  FI_OPT_BUFFERED_MIN: size(2),
  /** FI_BUFFERED_RECV: the largest message that is buffered. Before the endpoint is enabled. */
  FI_OPT_BUFFERED_LIMIT: size(3),
  FI_OPT_SEND_BUF_SIZE: size(4),
  FI_OPT_RECV_BUF_SIZE: size(5),
  FI_OPT_TX_SIZE: size(6),
  FI_OPT_RX_SIZE: size(7),
  /** FI_HMEM: whether devices talk to each other. */
  FI_OPT_FI_HMEM_P2P: peerToPeer(8),
  /** Whether the provider may call CUDA. */
  FI_OPT_CUDA_API_PERMITTED: boolean(10),
  /** Whether messages on one host may go through shared memory. */
  FI_OPT_SHARED_MEMORY_PERMITTED: boolean(11),
  FI_OPT_MAX_MSG_SIZE: size(12),
  FI_OPT_MAX_TAGGED_SIZE: size(13),
  FI_OPT_MAX_RMA_SIZE: size(14),
  FI_OPT_MAX_ATOMIC_SIZE: size(15),
  FI_OPT_INJECT_MSG_SIZE: size(16),
  FI_OPT_INJECT_TAGGED_SIZE: size(17),
  FI_OPT_INJECT_RMA_SIZE: size(18),
  FI_OPT_INJECT_ATOMIC_SIZE: size(19),
} as const;

/** The name of an option of endpoints. */
export type EndpointOption = keyof typeof ENDPOINT_OPTIONS;
/** The value of an option: number of bytes, boolean or word. */
export type EndpointOptionValue<T extends EndpointOption> =
  (typeof ENDPOINT_OPTIONS)[T] extends Codec<infer Value> ? Value : never;

/** How an option is passed. @throws TypeError for one that does not exist. */
export function optionCodec<T extends EndpointOption>(name: T): Codec<EndpointOptionValue<T>> {
  if (!Object.hasOwn(ENDPOINT_OPTIONS, name)) {
    throw new TypeError(`option: ${show(name)} is none of ${Object.keys(ENDPOINT_OPTIONS).join(', ')}`);
  }
  return ENDPOINT_OPTIONS[name] as unknown as Codec<EndpointOptionValue<T>>;
}

/**
 * The addon, and the types of what it exports.
 *
 * Handles are integers. Results below zero are negative libfabric codes: errors.ts turns them into a FabricError.
 */
import { loadAddon } from './addon.js';

/** The raw form of an fi_info: 64-bit values as bigint, smaller ones as number. */
export interface RawInfo {
  readonly [field: string]: bigint | number | string | Uint8Array | RawInfo | undefined;
}

/** A callback's count of completions, or one of the two words below. */
export type ProgressReport = number;
/** Nothing happened for the whole spin budget. */
export const PROGRESS_SPENT: ProgressReport = 0;
/** Posts are blocked: time to try them again. */
export const PROGRESS_RETRY: ProgressReport = -1;
/** A number of completions that a timer found has the timer's interval, in milliseconds, from this bit on. */
export const PROGRESS_INTERVAL_SHIFT = 16;
/** Bit of completionQueueRead's result: completions of the promise door are waiting. */
export const PROMISES_WAITING = 1 << 30;
/** Another: an operation of the PostBatch was refused. */
export const POST_REFUSED = 1 << 29;
/** What a close function returns for an object that the provider does not let go. */
export const KEPT_BY_PROVIDER = 1;
/** Address index that means any source. */
export const ANY_ADDRESS = -1;
/** Addresses from here on are multicast groups of the endpoint. */
export const FIRST_GROUP_ADDRESS = 1 << 30;
/** The numbers of the operations that a PostBatch may have. */
export const POST_KINDS = { send: 0, recv: 1, tsend: 2, trecv: 3, inject: 4, read: 5, write: 6 } as const;
/** The numbers of endpointMessage's operations. */
export const MESSAGE_KINDS = { send: 0, recv: 1, tsend: 2, trecv: 3 } as const;
/** The numbers of endpointAtomic's operations. */
export const ATOMIC_KINDS = { base: 0, fetch: 1, compare: 2 } as const;
/** The slot of a completion that no operation here asked for: a peer wrote with immediate data. */
export const NO_OPERATION = 2 ** 32 - 1;
/** Context that sends a completion through the promise door. */
export const PROMISE_DOOR = -1;

/** An event as native/event_queue.cc reads it; which fields there are depends on the type. */
export interface RawEvent {
  readonly type: number;
  /** Handle of the object that it is about, -1 when that is closed or unknown. */
  readonly source: number;
  readonly data?: Buffer;
  readonly info?: RawInfo;
  readonly request?: number;
  readonly value?: bigint;
  readonly context?: bigint;
}

/** What fi_eq_readerr and fi_eq_strerror say. */
export interface RawEventError {
  readonly source: number;
  readonly errno: number;
  readonly providerErrno: number;
  readonly text: string;
  readonly data: Buffer;
}

/** How many native objects there are, by kind. */
export interface ObjectCounts {
  readonly fabrics: number;
  readonly domains: number;
  readonly addressVectors: number;
  readonly addressVectorSets: number;
  readonly completionQueues: number;
  readonly endpoints: number;
  readonly sharedTransmits: number;
  readonly memoryRegions: number;
  readonly counters: number;
  readonly eventQueues: number;
  readonly passiveEndpoints: number;
  readonly connectionRequests: number;
  /** What watches queues from the event loop: goes a turn later. */
  readonly watches: number;
  /** In flight. */
  readonly operations: number;
  /** What keeps memory in place. */
  readonly pins: number;
  /** Objects of shm, of the whole process, that wait to be closed until a neighbour has gone. */
  readonly waitingToClose: number;
  /** ArrayBuffers that operations have used, and that were not collected. */
  readonly memories: number;
}

/** When an operation begins: at once, or when a counter has reached a threshold. */
export type RawTrigger = readonly [] | readonly [counter: number, threshold: number];

type Handle = number;
type Result = number;
type Post = (
  endpoint: Handle,
  memory: Handle,
  offset: number,
  length: number,
  address: number,
  context: number,
  tag?: bigint | number,
  ignore?: bigint | number,
) => Result;

type PostRma = (
  endpoint: Handle,
  memory: Handle,
  offset: number,
  length: number,
  address: number,
  context: number,
  remoteAddress: bigint | number,
  remoteKey: bigint | number,
) => Result;

type PostAtomic = (
  endpoint: Handle,
  kind: number,
  context: number,
  lists: readonly (readonly number[])[],
  datatype: number,
  operation: number,
  address: number,
  remoteAddress: bigint | number,
  remoteKey: bigint | number,
  flags: bigint,
  ...trigger: RawTrigger
) => Result;

/** Registrations behind the scenes, in numbers. */
export interface RawRegistrations {
  count: number;
  bytes: number;
  hits: number;
  misses: number;
  evictions: number;
  limit: number;
}

/** What native/*.cc export, one C call each unless its name says otherwise. */
export interface Binding {
  readonly version: string;

  libraryLoad: () => {
    path?: string;
    source?: string;
    version?: string;
    apiVersion?: string;
    headers: string;
    attempts: { source: string; place: string; error?: string }[];
  };
  libraryStrerror: (errno: number) => string | undefined;

  infoGet: (
    node: string | undefined,
    service: string | undefined,
    flags: bigint,
    hints: RawInfo | undefined,
  ) => RawInfo[] | Result;

  describeInfo: (info: RawInfo, part: number) => string;
  describeNumber: (type: number, value: bigint) => string;

  parametersGet: () => { name: string; type: number; help: string; value?: string }[] | Result;

  logOpen: (level: number, callback: () => void) => Result;
  /** How many messages were dropped, then six values for each. */
  logTake: () => [dropped: number, ...values: (number | string)[]];
  logClose: () => void;

  fabricOpen: (info: RawInfo) => Handle;
  fabricClose: (fabric: Handle) => Result;

  /** Without `info`: what the fabric was opened with. */
  domainOpen: (fabric: Handle, info: RawInfo | undefined) => Handle;
  domainClose: (domain: Handle) => Result;
  domainSetRegistrationLimit: (domain: Handle, limit: number) => Result;
  domainRegistrations: (domain: Handle) => RawRegistrations | Result;
  domainQueryAtomic: (
    domain: Handle,
    datatype: number,
    operation: number,
    flags: bigint,
  ) => { count: number; size: number } | Result;
  domainMapRaw: (domain: Handle, base: bigint, key: Uint8Array) => bigint | Result;
  domainUnmapKey: (domain: Handle, key: bigint) => Result;

  counterOpen: (domain: Handle) => Handle;
  counterRead: (counter: Handle) => number;
  counterReaderr: (counter: Handle) => number;
  counterAdd: (counter: Handle, value: number) => Result;
  counterAdderr: (counter: Handle, value: number) => Result;
  counterSet: (counter: Handle, value: number) => Result;
  counterSeterr: (counter: Handle, value: number) => Result;
  counterClose: (counter: Handle) => Result;

  addressVectorOpen: (domain: Handle, type: number, count: number, receiveContextBits: number) => Handle;
  addressVectorInsert: (av: Handle, address: Uint8Array) => number;
  addressVectorInsertMany: (av: Handle, addresses: Uint8Array, count: number) => number[] | Result;
  addressVectorInsertService: (av: Handle, node: string, service: string) => number;
  addressVectorInsertSymmetric: (
    av: Handle,
    node: string,
    nodes: number,
    service: string,
    services: number,
  ) => number[] | Result;
  addressVectorRemove: (av: Handle, indices: readonly number[]) => Result;
  addressVectorLookup: (av: Handle, index: number) => Buffer | Result;
  addressVectorText: (av: Handle, address: Uint8Array) => string | Result;
  addressVectorReceiveContext: (av: Handle, index: number, context: number, bits: number) => number;
  addressVectorClose: (av: Handle) => Result;

  addressVectorSetOpen: (av: Handle, capacity: number) => Handle;
  addressVectorSetInsert: (set: Handle, index: number) => Result;
  addressVectorSetRemove: (set: Handle, index: number) => Result;
  addressVectorSetUnion: (set: Handle, other: Handle) => Result;
  addressVectorSetMembers: (set: Handle) => number[] | Result;
  addressVectorSetClose: (set: Handle) => Result;

  endpointBindEvents: (endpoint: Handle) => Result;
  groupJoinCollective: (endpoint: Handle, set: Handle) => number;
  groupJoinMulticast: (endpoint: Handle, address: Uint8Array) => number;
  groupJoined: (endpoint: Handle, group: number) => Result;
  groupClose: (endpoint: Handle, group: number, busy: boolean) => Result;

  collectiveQuery: (domain: Handle, collective: number, datatype: number, operation: number) => Result;
  endpointCollective: (
    endpoint: Handle,
    group: number,
    collective: number,
    segments: readonly number[],
    count: number,
    datatype: number,
    operation: number,
    root: number,
  ) => Result;

  trafficClassOfDscp: (dscp: number) => number;
  dscpOfTrafficClass: (trafficClass: number) => number;

  completionQueueOpen: (domain: Handle, size: number, descriptor: boolean) => Handle;
  completionQueueDescriptor: (queue: Handle) => number;
  completionQueueReadCall: (buffer: ArrayBuffer) => Result;
  /** lib/read-call.ts */
  completionQueueRead: () => void;
  completionQueueReadPromises: (queue: Handle, memory: Handle) => number;
  completionQueueTakeWaiting: (queue: Handle, memory: Handle) => number;
  completionQueueStrerror: (queue: Handle, providerErrno: number) => string | Result;
  /** In the order of CompletionQueueStats. */
  completionQueueStats: (queue: Handle) => number[] | Result;
  completionQueueErrorText: (queue: Handle, slot: number) => string;
  completionQueueClose: (queue: Handle) => Result;

  progressOpen: (queue: Handle, ring: Handle, capacity: number, callback: (report: ProgressReport) => void) => Result;
  progressSpin: (queue: Handle, budgetNanoseconds: number) => void;
  progressArm: (queue: Handle, budgetNanoseconds: number) => Result;
  progressPoll: (queue: Handle, intervalMilliseconds: number, limitMilliseconds: number) => void;
  progressSetBlocked: (queue: Handle, blocked: boolean) => void;
  progressSetReferenced: (queue: Handle, referenced: boolean) => void;

  eventQueueOpen: (fabric: Handle, size: number, descriptor: boolean, writable: boolean) => Handle;
  eventQueueDescriptor: (queue: Handle) => number;
  eventQueueRead: (queue: Handle) => RawEvent | Result;
  eventQueueReadError: (queue: Handle) => RawEventError | Result;
  eventQueueWrite: (queue: Handle, value: bigint) => Result;
  eventQueueWatch: (queue: Handle, callback: () => void) => Result;
  eventQueueArm: (queue: Handle) => Result;
  eventQueueSetReferenced: (queue: Handle, referenced: boolean) => void;
  eventQueueClose: (queue: Handle) => Result;

  passiveEndpointOpen: (fabric: Handle, info: RawInfo) => Handle;
  passiveEndpointBind: (passiveEndpoint: Handle, queue: Handle) => Result;
  passiveEndpointBacklog: (passiveEndpoint: Handle, backlog: number) => Result;
  passiveEndpointListen: (passiveEndpoint: Handle) => Result;
  passiveEndpointName: (passiveEndpoint: Handle) => Buffer | Result;
  passiveEndpointSetName: (passiveEndpoint: Handle, address: Uint8Array) => Result;
  passiveEndpointDataSize: (passiveEndpoint: Handle) => number;
  passiveEndpointClose: (passiveEndpoint: Handle) => Result;
  connectionRequestReject: (request: Handle, data?: Uint8Array) => Result;

  endpointOpenRequested: (domain: Handle, request: Handle) => Handle;
  endpointConnect: (endpoint: Handle, address: Uint8Array, data?: Uint8Array) => Result;
  endpointAccept: (endpoint: Handle, data?: Uint8Array) => Result;
  endpointShutdown: (endpoint: Handle) => Result;
  endpointPeer: (endpoint: Handle) => Buffer | Result;
  endpointDataSize: (endpoint: Handle) => number;

  /** Without `info`: what the domain was opened with. */
  endpointOpen: (domain: Handle, info: RawInfo | undefined) => Handle;
  endpointBindQueue: (endpoint: Handle, queue: Handle, flags: bigint) => Result;
  endpointBindAddressVector: (endpoint: Handle, av: Handle) => Result;
  endpointGetOption: (endpoint: Handle, option: number, size: number) => bigint | Result;
  endpointSetOption: (endpoint: Handle, option: number, size: number, value: bigint) => Result;
  endpointSizeLeft: (endpoint: Handle, receives: boolean) => Result;
  endpointOperationFlags: (endpoint: Handle, sets: boolean, flags: bigint) => bigint | Result;
  endpointTriggeredBy: (endpoint: Handle, counter: Handle) => Result;
  endpointBindCounter: (endpoint: Handle, counter: Handle, flags: bigint) => Result;
  endpointBindEventQueue: (endpoint: Handle, queue: Handle) => Result;
  endpointEnable: (endpoint: Handle) => Result;
  endpointName: (endpoint: Handle) => Buffer | Result;
  endpointSend: Post;
  endpointRecv: Post;
  endpointTsend: Post;
  endpointTrecv: Post;
  endpointInject: Post;
  endpointMessage: (
    endpoint: Handle,
    kind: number,
    context: number,
    segments: readonly number[],
    address: number,
    tag: bigint,
    ignore: bigint,
    data: bigint,
    flags: bigint,
    ...trigger: RawTrigger
  ) => Result;
  endpointInjectMessage: (
    endpoint: Handle,
    memory: Handle,
    offset: number,
    length: number,
    address: number,
    tag: bigint | undefined,
    data: bigint | undefined,
  ) => Result;
  endpointRead: PostRma;
  endpointWrite: PostRma;
  endpointInjectWrite: (
    endpoint: Handle,
    memory: Handle,
    offset: number,
    length: number,
    address: number,
    data: bigint | undefined,
    remoteAddress: bigint | number,
    remoteKey: bigint | number,
  ) => Result;
  endpointRma: (
    endpoint: Handle,
    isWrite: boolean,
    context: number,
    segments: readonly number[],
    address: number,
    remoteAddress: bigint | number,
    remoteKey: bigint | number,
    data: bigint,
    flags: bigint,
    ...trigger: RawTrigger
  ) => Result;
  endpointAtomic: PostAtomic;
  endpointInjectAtomic: PostAtomic;
  endpointAtomicValid: (endpoint: Handle, kind: number, datatype: number, operation: number) => number;
  endpointCancel: (endpoint: Handle, slot: number) => Result;
  endpointClose: (endpoint: Handle) => Result;
  endpointFree: (endpoint: Handle) => Result;

  endpointAlias: (endpoint: Handle, flags: bigint) => Handle;
  sharedTransmitOpen: (domain: Handle, info: RawInfo) => Handle;
  sharedTransmitClose: (context: Handle) => Result;
  sharedReceiveOpen: (domain: Handle, info: RawInfo, queue: Handle) => Handle;
  endpointBindSharedTransmit: (endpoint: Handle, context: Handle) => Result;
  endpointBindSharedReceive: (endpoint: Handle, context: Handle) => Result;
  scalableEndpointOpen: (domain: Handle, info: RawInfo) => Handle;
  scalableEndpointBind: (endpoint: Handle, av: Handle) => Result;
  transmitContextOpen: (endpoint: Handle, index: number) => Handle;
  receiveContextOpen: (endpoint: Handle, index: number) => Handle;

  memoryRegionOpen: (
    domain: Handle,
    segments: readonly number[],
    access: bigint,
    key: bigint | undefined,
    flags: bigint,
  ) => Handle;
  memoryRegionOpenDevice: (
    domain: Handle,
    address: bigint,
    length: number,
    access: bigint,
    key: bigint | undefined,
    flags: bigint,
    interfaceNumber: number,
    device: bigint,
    descriptor: number | undefined,
    offset: number,
  ) => Handle;
  memoryRegionBindCounter: (region: Handle, counter: Handle, flags: bigint) => Result;
  memoryRegionBindEndpoint: (region: Handle, endpoint: Handle) => Result;
  memoryRegionEnable: (region: Handle) => Result;
  memoryRegionRefresh: (region: Handle) => Result;
  memoryRegionKey: (region: Handle) => bigint | Result;
  memoryRegionAddress: (region: Handle, part: number) => bigint | Result;
  memoryRegionRawAttr: (region: Handle) => { base: bigint; key: Buffer } | Result;
  memoryRegionInFlight: (region: Handle) => number;
  memoryRegionClose: (region: Handle) => Result;

  /** What is open, by kind: for tests. */
  objectCounts: () => ObjectCounts;

  threadAffinity: () => number[] | Result;
  setThreadAffinity: (processors: readonly number[]) => Result;

  watchdogFeed: (milliseconds: number, message: string, exitCode: number) => void;

  memoryAllocate: (length: number, alignment: number, hugePages: boolean) => ArrayBuffer | Result;
  memoryOpen: (view: Uint8Array) => Handle;
  memoryRelease: (memory: Handle) => void;
}

export const binding: Binding = loadAddon() as Binding;

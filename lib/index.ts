/** libfabric for Node.js: the public surface. */
export { AddressVector, type AddressVectorOptions } from './address-vector.js';
export { AddressVectorSet, type AddressVectorSetOptions } from './address-vector-set.js';
export { CollectiveGroup } from './collective-group.js';
export {
  COLLECTIVES,
  queryCollective,
  REDUCTIONS,
  type Collective,
  type CollectiveLimits,
  type Reduction,
} from './collectives.js';
export { describe, type InfoPart } from './describe.js';
export {
  ENDPOINT_OPTIONS,
  type EndpointOption,
  type EndpointOptionValue,
  type PeerToPeer,
} from './endpoint-options.js';
export type { AllocateOptions } from './allocation.js';
export {
  ATOMIC_DATATYPES,
  ATOMIC_OPERATIONS,
  type AtomicArray,
  type AtomicDatatype,
  type AtomicKind,
  type AtomicOperation,
} from './atomic-constants.js';
export { BufferPool, type BufferPoolOptions, type PooledBuffer } from './buffer-pool.js';
export { ConnectedEndpoint, type ConnectedEndpointBindings, type ConnectionState } from './connected-endpoint.js';
export { ConnectionRejectedError, type ConnectOptions } from './connecting.js';
export { CompletionBatch } from './completion-batch.js';
export type { CompletionQueueStats } from './completion-queue-stats.js';
export { PostBatch } from './post-batch.js';
export { CompletionQueue, type CompletionQueueOptions } from './completion-queue.js';
export { connect, type ConnectionTarget, type ConnectToOptions } from './connect.js';
export { Connection, type ConnectionOptions } from './connection.js';
export * from './constants.js';
export { Counter, type CounterWaitOptions } from './counter.js';
export { Domain, type DomainOptions, type Registrations } from './domain.js';
export type { AtomicArrays, AtomicOptions } from './endpoint-atomics.js';
export { EndpointAlias, type Side } from './endpoint-defaults.js';
export type { ReadOptions, RemoteOffset, WriteOptions } from './endpoint-rma.js';
export { Endpoint, type EndpointBindings, type EndpointCounters, type EndpointOpenOptions } from './endpoint.js';
export { FabricError, type ErrorCode, type FabricErrorDetails } from './errors.js';
export { EventQueue, type EventQueueOptions } from './event-queue.js';
export type { CompletionEvent, ConnectionEvent, ConnectionRequestEvent, ErrorEvent, FabricEvent } from './events.js';
export { Fabric } from './fabric.js';
export type { Enumerated, Flags, FlagsInput, UnnamedBits } from './fields.js';
export {
  getInfo,
  type DomainAttr,
  type EpAttr,
  type FabricAttr,
  type Hints,
  type Info,
  type InfoLike,
  type InfoQuery,
  type Nic,
  type RxAttr,
  type TxAttr,
} from './info.js';
export type { Buffers } from './endpoint-base.js';
export type { FlaggedOptions, SendOptions } from './operation-options.js';
export { libraryInfo, version, type LibraryInfo, type LibrarySource, type LoadAttempt } from './library.js';
export { FabricLog, LOG_CHANNEL, openLog, type LogLevel, type LogMessage, type LogOptions } from './log.js';
export { MultiReceive, ReceivedMessage, type MultiReceiveOptions } from './multi-receive.js';
export { MulticastGroup } from './multicast-group.js';
export { Group, type JoinOptions } from './group.js';
export * from './memory-constants.js';
export type { DeviceMemory, DmaBuffer } from './device-memory.js';
export { MemoryRegion, type MemoryRegionOptions } from './memory-region.js';
export type { Completion, OperationOptions } from './operation.js';
export { checkEnvironment, getParams, type EnvironmentProblem, type ProviderParameter } from './parameters.js';
export { ConnectionRequest, PassiveEndpoint, type PassiveListenOptions } from './passive-endpoint.js';
export { listen, Listener, type Answer, type ListenOptions } from './listener.js';
export type { ProgressMode } from './progress.js';
export { EndpointContext, ScalableEndpoint, type ScalableEndpointOptions } from './scalable-endpoint.js';
export { SharedReceiveContext, SharedTransmitContext } from './shared-context.js';
export { mapRemote, unmapRemote } from './raw-key.js';
export { RemoteRegion, type RemoteRegionJson } from './remote-region.js';
export { Resource } from './resource.js';
export { select, type Rejection, type SelectOptions, type Selection } from './select.js';
export { TEXT_TYPES, toText } from './text.js';
export type { Trigger } from './trigger.js';
export { dscpOfTrafficClass, trafficClassOfDscp } from './traffic-class.js';
export { FabricStream, type FabricStreamOptions } from './stream.js';

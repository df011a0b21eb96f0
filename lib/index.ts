/** libfabric for Node.js: the public surface. */
export { AddressVector, type AddressVectorOptions } from './address-vector.js';
export {
  ConnectedEndpoint,
  ConnectionRejectedError,
  type ConnectedEndpointBindings,
  type ConnectionState,
  type ConnectOptions,
} from './connected-endpoint.js';
export { CompletionBatch } from './completion-batch.js';
export { CompletionQueue, type CompletionQueueOptions } from './completion-queue.js';
export { connect, type ConnectionTarget, type ConnectToOptions } from './connect.js';
export { Connection, type ConnectionOptions } from './connection.js';
export * from './constants.js';
export { Domain } from './domain.js';
export { Endpoint, type EndpointBindings, type EndpointOpenOptions } from './endpoint.js';
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
  type InfoQuery,
  type Nic,
  type RxAttr,
  type TxAttr,
} from './info.js';
export { libraryInfo, type LibraryInfo, type LibrarySource, type LoadAttempt } from './library.js';
export type { Completion, OperationOptions } from './operation.js';
export { ConnectionRequest, PassiveEndpoint, type PassiveListenOptions } from './passive-endpoint.js';
export { listen, Listener, type Answer, type ListenOptions } from './listener.js';
export type { ProgressMode } from './progress.js';
export { Resource } from './resource.js';
export { select, type Rejection, type SelectOptions, type Selection } from './select.js';
export { FabricStream, type FabricStreamOptions } from './stream.js';

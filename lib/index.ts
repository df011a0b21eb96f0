/** libfabric for Node.js: the public surface. */
export { AddressVector, type AddressVectorOptions } from './address-vector.js';
export { CompletionBatch } from './completion-batch.js';
export { CompletionQueue, type CompletionQueueOptions } from './completion-queue.js';
export * from './constants.js';
export { Domain } from './domain.js';
export { Endpoint, type EndpointBindings, type EndpointOpenOptions } from './endpoint.js';
export { FabricError, type ErrorCode, type FabricErrorDetails } from './errors.js';
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
export type { Buffers, FlaggedOptions, SendOptions } from './endpoint-base.js';
export type { Completion, OperationOptions } from './operation.js';
export type { ProgressMode } from './progress.js';
export { EndpointContext, ScalableEndpoint, type ScalableEndpointOptions } from './scalable-endpoint.js';
export { SharedReceiveContext, SharedTransmitContext } from './shared-context.js';
export { Resource } from './resource.js';
export { select, type Rejection, type SelectOptions, type Selection } from './select.js';

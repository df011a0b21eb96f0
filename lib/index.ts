/** libfabric for Node.js: the public surface. */
export { AddressVector, type AddressVectorOptions } from './address-vector.js';
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
export { CompletionBatch } from './completion-batch.js';
export { CompletionQueue, type CompletionQueueOptions } from './completion-queue.js';
export * from './constants.js';
export { Counter, type CounterWaitOptions } from './counter.js';
export { Domain, type DomainOptions, type Registrations } from './domain.js';
export type { AtomicOptions } from './endpoint-atomics.js';
export type { ReadOptions, RemoteOffset, WriteOptions } from './endpoint-rma.js';
export { Endpoint, type EndpointBindings, type EndpointCounters, type EndpointOpenOptions } from './endpoint.js';
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
export * from './memory-constants.js';
export { MemoryRegion, type DeviceMemory, type MemoryRegionOptions } from './memory-region.js';
export type { Completion, OperationOptions } from './operation.js';
export type { ProgressMode } from './progress.js';
export { mapRemote, unmapRemote } from './raw-key.js';
export { RemoteRegion, type RemoteRegionJson } from './remote-region.js';
export { Resource } from './resource.js';
export { select, type Rejection, type SelectOptions, type Selection } from './select.js';

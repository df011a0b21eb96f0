/** What arrives in an event queue: the types of fi_eq(3), as JavaScript sees them. */
import type { RawEvent } from './binding.js';
import type { FabricError } from './errors.js';
import type { ConnectionRequest } from './passive-endpoint.js';
import type { Resource } from './resource.js';

/** The numbers of fi_eq(3). */
export const EVENT_TYPES = {
  FI_NOTIFY: 0,
  FI_CONNREQ: 1,
  FI_CONNECTED: 2,
  FI_SHUTDOWN: 3,
  FI_MR_COMPLETE: 4,
  FI_AV_COMPLETE: 5,
  FI_JOIN_COMPLETE: 6,
} as const;

/** Somebody wants to connect to a {@link PassiveEndpoint}. */
export interface ConnectionRequestEvent {
  readonly type: 'FI_CONNREQ';
  readonly source: Resource | undefined;
  readonly request: ConnectionRequest;
}

/** A connection is there (FI_CONNECTED), or has ended (FI_SHUTDOWN). */
export interface ConnectionEvent {
  readonly type: 'FI_CONNECTED' | 'FI_SHUTDOWN';
  /** The endpoint; undefined when it is closed. */
  readonly source: Resource | undefined;
  /** Private data of the peer, empty when it sent none. */
  readonly data: Buffer;
}

/** An asynchronous operation has completed, or a user event was written: {@link EventQueue.write}. */
export interface CompletionEvent {
  readonly type: 'FI_NOTIFY' | 'FI_MR_COMPLETE' | 'FI_AV_COMPLETE' | 'FI_JOIN_COMPLETE';
  readonly source: Resource | undefined;
  /** What the operation says: for FI_AV_COMPLETE how many addresses were inserted. */
  readonly value: bigint;
  readonly context: bigint;
}

/** Something went wrong without a call that could have said so: fi_eq_readerr(3). */
export interface ErrorEvent {
  readonly type: 'error';
  readonly source: Resource | undefined;
  readonly error: FabricError;
  /** What came with it: the private data of a peer that rejects. */
  readonly data: Buffer;
}

/** What {@link EventQueue.next} resolves with. */
export type FabricEvent = ConnectionRequestEvent | ConnectionEvent | CompletionEvent | ErrorEvent;

/** An object that events are about. */
export interface EventOwner extends Resource {
  /** @returns whether somebody has heard of it: an error that nobody heard of becomes a process warning. */
  onEvent(event: FabricEvent): boolean;
  /** The provider's words for an error, where those of fi_eq_strerror(3) are not. */
  strerror?(providerErrno: number): string;
  /** A connection request has arrived; only passive endpoints have them. */
  onRequest?(raw: RawEvent): ConnectionRequest;
}

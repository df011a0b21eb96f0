/** struct fid_mc: what an endpoint has joined. */
import { setTimeout as delay } from 'node:timers/promises';
import { binding } from './binding.js';
import { Endpoint } from './endpoint.js';
import { check, show } from './errors.js';
import { argumentHandle, handleOf, Resource } from './resource.js';

/** Between two looks whether the other members have joined: people start programs one after the other. */
const POLL_MILLISECONDS = 1;

/** Options of joining a group. */
export interface JoinOptions {
  /** Gives up waiting for the other members; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** A group that an endpoint has joined; closing it (fi_close(3)) leaves it. */
export abstract class Group extends Resource {
  readonly endpoint: Endpoint;
  /** @internal */
  readonly number: number;

  /** @internal */
  constructor(endpoint: Endpoint, number: number, parents: readonly Resource[]) {
    const endpointHandle = handleOf(endpoint);
    const busy = { operations: 0 };
    super(number, (group) => binding.groupClose(endpointHandle, group, busy.operations > 0), [endpoint, ...parents]);
    this.endpoint = endpoint;
    this.number = number;
    this.busy = busy;
  }

  /** @internal Joining is an operation too: what is under way keeps the native group until the endpoint is closed. */
  protected readonly busy: { operations: number };

  /** @internal Waits until the provider says that it was joined. */
  async joined(syscall: string, signal: AbortSignal | undefined): Promise<this> {
    this.busy.operations++;
    try {
      for (;;) {
        signal?.throwIfAborted();
        const endpointHandle = handleOf(this.endpoint);
        this.endpoint.completionQueue.drain();
        const joined = binding.groupJoined(endpointHandle, this.number);
        if (check<number>(joined, syscall, 'cannot join the group') === 1) break;
        await delay(POLL_MILLISECONDS);
      }
    } catch (error) {
      // Others may still answer: the native group goes with the endpoint.
      if (!this.endpoint.closed) this.close();
      throw error;
    }
    this.busy.operations--;
    return this;
  }
}

/** Checks an endpoint that shall join something. @returns its handle. */
export function joiningHandle(endpoint: Endpoint, capability: 'FI_COLLECTIVE' | 'FI_MULTICAST'): number {
  const handle = argumentHandle(endpoint, Endpoint, 'endpoint');
  if (!endpoint.info.caps.includes(capability)) {
    throw new TypeError(`endpoint: was opened without ${capability}; ask getInfo for caps ['${capability}', …]`);
  }
  return handle;
}

/** Checks a signal. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`options.signal: expected an AbortSignal, not ${show(signal)}`);
  }
  signal?.throwIfAborted();
}

/** The event queue of endpoints that were given none. */
import { FabricError } from './errors.js';
import { EventQueue } from './event-queue.js';
import type { Fabric } from './fabric.js';

const queues = new WeakMap<Fabric, EventQueue>();
/** A provider may refuse to bind them: nobody has asked for them. */
const optional = new WeakSet<EventQueue>();

/**
 * @internal A queue for the errors of a fabric's endpoints, where the provider has such. Without one, efa of libfabric 2.1
 * ends the process at an error that belongs to no operation: abort(3).
 */
export function errorQueueOf(fabric: Fabric): EventQueue | undefined {
  const known = queues.get(fabric);
  if (known?.closed === false) return known;
  try {
    const queue = new EventQueue(fabric, { forErrors: true });
    queues.set(fabric, queue);
    optional.add(queue);
    return queue;
  } catch (error) {
    if (error instanceof FabricError) return undefined;
    throw error;
  }
}

/** @internal Whether a queue comes from {@link errorQueueOf}. */
export const isErrorQueue = (queue: EventQueue): boolean => optional.has(queue);

/** FI_TRIGGER of fi_trigger(3): operations that begin when a counter has reached a threshold. */
import { binding, type RawTrigger } from './binding.js';
import { ERRORS } from './constants.js';
import { checkCount, Counter } from './counter.js';
import type { EndpointBase } from './endpoint-base.js';
import { check, fabricError, show } from './errors.js';
import { argumentHandle, handleOf } from './resource.js';

/**
 * When an operation begins: as soon as the counter has reached the threshold. The provider begins it by itself, in the order
 * of the thresholds.
 *
 * The counter counts for this endpoint ({@link EndpointBindings.counters}), or for none ({@link Counter.add}). From its
 * first such operation on it belongs to the endpoint: it triggers operations of no other, and is closed with it.
 */
export interface Trigger {
  readonly counter: Counter;
  /** A count. */
  readonly threshold: number;
}

const CLAIM_HINTS: Readonly<Record<number, string>> = {
  [ERRORS.FI_EBUSY]: 'It counts for, or triggers operations of, another endpoint or region: use one of its own.',
};

/** What the options of an operation say of when it begins and ends. */
export interface TriggerOptions {
  readonly trigger?: Trigger | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws TypeError or RangeError for what is no trigger of the endpoint, FabricError where it has no such operations. */
export function rawTrigger(trigger: Trigger | undefined, endpoint: EndpointBase): RawTrigger {
  if (trigger === undefined) return [];
  if (typeof trigger !== 'object' || (trigger as unknown) === null) {
    throw new TypeError(`options.trigger: expected a counter and a threshold, not ${show(trigger)}`);
  }
  const { counter, threshold } = trigger;
  const handle = argumentHandle(counter, Counter, 'options.trigger.counter');
  if (counter.domain !== endpoint.domain) throw new TypeError('options.trigger.counter: belongs to another domain');
  checkCount(threshold, 'options.trigger.threshold');
  if (!endpoint.info.caps.includes('FI_TRIGGER')) {
    throw fabricError('cannot post a triggered operation', {
      errno: ERRORS.FI_EOPNOTSUPP,
      syscall: 'fi_getinfo',
      hint: "The endpoint was not opened for it: ask getInfo for caps 'FI_TRIGGER'.",
    });
  }
  const claimed = binding.endpointTriggeredBy(handleOf(endpoint), handle);
  check(claimed, 'fi_trigger', 'cannot trigger operations by this counter', CLAIM_HINTS[-claimed]);
  endpoint.own(counter);
  return [handle, threshold];
}

/** The signal that cancels an operation: that of its options, or its counter's end before the threshold. */
export function signalOf({ trigger, signal }: TriggerOptions): AbortSignal | undefined {
  if (trigger === undefined) return signal;
  const unreachable = trigger.counter.unreachable(trigger.threshold);
  return signal === undefined ? unreachable : AbortSignal.any([signal, unreachable]);
}

/** What an operation can be asked for besides its buffer and address. */
import { OPERATION_FLAGS } from './constants.js';
import { encodeFlags, type FlagsInput } from './fields.js';
import type { OperationOptions } from './operation.js';
import type { Trigger } from './trigger.js';

/** The bits of an operation's flags, with what its immediate data asks for. */
export function operationFlags(options: Pick<SendOptions, 'flags' | 'data'> | undefined): bigint {
  const bits = encodeFlags(options?.flags ?? 0n, OPERATION_FLAGS, 'options.flags');
  if ((bits & OPERATION_FLAGS.FI_TRIGGER) !== 0n)
    throw new TypeError('options.flags: FI_TRIGGER comes with options.trigger');
  return options?.data === undefined ? bits : bits | OPERATION_FLAGS.FI_REMOTE_CQ_DATA;
}

/** Options of an operation that has flags. */
export interface FlaggedOptions extends OperationOptions {
  /** Flags of this operation, such as `'FI_FENCE'` or `'FI_DELIVERY_COMPLETE'`: fi_sendmsg(3), fi_writemsg(3). */
  readonly flags?: FlagsInput<typeof OPERATION_FLAGS> | undefined;
  /** Begins later, when a counter has reached a threshold: fi_trigger(3), on endpoints with FI_TRIGGER. */
  readonly trigger?: Trigger | undefined;
}

/** Options of an operation that sends. */
export interface SendOptions extends FlaggedOptions {
  /** Immediate data for the peer's completion, up to `domainAttr.cqDataSize` bytes. */
  readonly data?: bigint | undefined;
}

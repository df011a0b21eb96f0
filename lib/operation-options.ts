/** What an operation can be asked for besides its buffer and address. */
import { OPERATION_FLAGS } from './constants.js';
import { show } from './errors.js';
import { encodeFlags, type FlagsInput } from './fields.js';
import type { Info } from './info.js';
import type { OperationOptions } from './operation.js';
import type { Trigger } from './trigger.js';

/** The bits of an operation's flags, with what its immediate data asks for. */
export function operationFlags(options: Pick<SendOptions, 'flags' | 'data'> | undefined): bigint {
  const bits = encodeFlags(options?.flags ?? 0n, OPERATION_FLAGS, 'options.flags');
  if ((bits & OPERATION_FLAGS.FI_TRIGGER) !== 0n)
    throw new TypeError('options.flags: FI_TRIGGER comes with options.trigger');
  return options?.data === undefined ? bits : bits | OPERATION_FLAGS.FI_REMOTE_CQ_DATA;
}

/**
 * The immediate data of an operation.
 *
 * @throws RangeError for more than the provider carries: it would arrive cut off, and nobody would know.
 */
export function immediateData(data: bigint | undefined, { domainAttr, fabricAttr }: Info): bigint {
  if (data === undefined) return 0n;
  // efa of libfabric 1.17 says 8, and cuts what most of its calls are given (rxr_msg_construct); later ones say 4
  const bytes = fabricAttr.provName === 'efa' ? Math.min(domainAttr.cqDataSize, 4) : domainAttr.cqDataSize;
  if (typeof data === 'bigint' && data >= 0n && data < 1n << BigInt(8 * bytes)) return data;
  const limit = bytes === 0 ? 'none: the provider carries no immediate data' : `a bigint of up to ${8 * bytes} bits`;
  throw new RangeError(`options.data: expected ${limit} (domainAttr.cqDataSize), not ${show(data)}`);
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
  /** Immediate data for the peer's completion, up to `domainAttr.cqDataSize` bytes; with efa 4, whatever that says. */
  readonly data?: bigint | undefined;
}

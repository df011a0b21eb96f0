import type { PingpongResult } from './result.js';

/**
 * What went wrong with a measurement, as a word that a program can test:
 *
 * - `FALLBACK_REFUSED`: software would be used although this host has a device for RDMA
 * - `THRESHOLD`: a figure is worse than the caller allows; `partial` is the whole result
 * - `NO_PROVIDER`: this host has no provider that was asked for, or none at all
 * - `UNREACHABLE`: no server there, host not found, or no answer
 * - `ADDRESS_IN_USE`: the server's port or address cannot be listened on
 * - `BUSY`: the server is in a session with another client
 * - `MISMATCH`: the other end speaks another protocol, or the ends have no provider in common
 * - `STALLED`: a phase made no progress within its deadline
 * - `PEER_LOST`: the control connection ended before the session did
 * - `INTEGRITY`: the bytes received are not the bytes sent
 * - `TRANSFER_FAILED`: the provider reported a failed operation
 * - `INTERRUPTED`: the caller's AbortSignal fired
 */
export type BenchErrorCode =
  | 'FALLBACK_REFUSED'
  | 'THRESHOLD'
  | 'NO_PROVIDER'
  | 'UNREACHABLE'
  | 'ADDRESS_IN_USE'
  | 'BUSY'
  | 'MISMATCH'
  | 'STALLED'
  | 'PEER_LOST'
  | 'INTEGRITY'
  | 'TRANSFER_FAILED'
  | 'INTERRUPTED';

/** A measurement that could not be made or finished. Its message is one sentence for the user. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
  readonly code: BenchErrorCode;
  /** What to try, where something can be tried. */
  readonly hint: string | undefined;
  /** What had been measured until then, where a measurement had begun. */
  partial: PingpongResult | undefined;

  constructor(code: BenchErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

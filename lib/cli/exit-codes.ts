import { BenchError, type BenchErrorCode } from '../bench/index.js';
import { FabricError } from '../index.js';

/** Exit codes and what each means, as `--help` and the guide say it. */
export const EXIT_CODES = {
  0: 'measured, and all is well',
  1: 'internal error, or an operation that the provider failed',
  2: 'usage: an option or argument is wrong',
  3: 'no usable provider: unknown, not on this host, or not what --require says',
  4: 'fallback refused: an RDMA device is there, and software was chosen',
  5: 'unreachable: no server, host or answer; server busy; port in use',
  6: 'mismatch: another protocol version or program, no provider in common',
  7: 'stalled: a phase made no progress within --timeout',
  8: 'peer lost: the other end died, was interrupted, or failed',
  9: 'integrity: the data received is not the data sent',
  10: 'threshold: worse than --max-p99 or --min-bw allow; compare: than before',
  130: 'interrupted (SIGINT): prints what it has',
  143: 'terminated (SIGTERM): prints what it has',
} as const;

/** One of the documented exit codes. */
export type ExitCode = keyof typeof EXIT_CODES;

/** What C's fi_pingpong would exit with: the number of an error, 1 for usage, 255 for wrong data. */
export const CLASSIC_EXIT_CODES: Record<ExitCode, number> = {
  0: 0,
  1: 1,
  2: 1,
  3: 61,
  4: 61,
  5: 111,
  6: 22,
  7: 110,
  8: 103,
  9: 255,
  10: 10,
  130: 130,
  143: 143,
};

const BY_ERROR_CODE: Record<BenchErrorCode, ExitCode> = {
  FALLBACK_REFUSED: 4,
  THRESHOLD: 10,
  NO_PROVIDER: 3,
  UNREACHABLE: 5,
  ADDRESS_IN_USE: 5,
  BUSY: 5,
  MISMATCH: 6,
  STALLED: 7,
  PEER_LOST: 8,
  INTEGRITY: 9,
  TRANSFER_FAILED: 1,
  INTERRUPTED: 130,
};

/** A failure as users and programs see it. */
export interface Failure {
  code: string;
  exitCode: ExitCode;
  message: string;
  hint?: string;
}

/** A wrong option or argument. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Says of any error what it means for the user. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof BenchError) {
    return withHint(error.code, BY_ERROR_CODE[error.code], error.message, error.hint);
  }
  if (error instanceof UsageError || error instanceof RangeError) {
    return withHint('USAGE', 2, error.message, 'fabric-pingpong --help lists the options');
  }
  if (error instanceof FabricError) {
    // Without a libfabric, or without anything that it can use, there is no provider.
    const isAbsent = error.syscall === 'dlopen' || error.code === 'FI_ENODATA';
    return withHint(error.code, isAbsent ? 3 : 1, error.message, error.hint);
  }
  return withHint('INTERNAL', 1, error instanceof Error ? error.message : String(error), undefined);
}

function withHint(code: string, exitCode: ExitCode, message: string, hint: string | undefined): Failure {
  // An error may have its hint in its message already.
  const isNews = hint !== undefined && !message.includes(hint);
  return { code, exitCode, message, ...(isNews ? { hint } : {}) };
}

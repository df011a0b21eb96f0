/** The one place where a libfabric code becomes a JavaScript error. */
import { binding } from './binding.js';
import { ERRORS } from './constants.js';

/** Name of a libfabric error: `'FI_EAGAIN'`. */
export type ErrorCode = keyof typeof ERRORS;

const CODES = new Map<number, ErrorCode>(Object.entries(ERRORS).map(([name, errno]) => [errno, name as ErrorCode]));

/** What a {@link FabricError} is made of. */
export interface FabricErrorDetails {
  readonly errno: number;
  readonly syscall: string;
  readonly provider?: { readonly errno: number; readonly message: string } | undefined;
  readonly hint?: string | undefined;
}

/**
 * libfabric said no: a call returned a negative code, or an operation completed with an error. The message has libfabric's
 * words for it (fi_strerror(3)).
 */
export class FabricError extends Error {
  /** libfabric's name of the error, such as `'FI_ETRUNC'` (fi_errno(3)). */
  readonly code: string;
  /** The same as a positive number. */
  readonly errno: number;
  /** The C call that failed, such as `'fi_cq_readerr'`. */
  readonly syscall: string;
  /** What the provider itself said of a failed operation (`prov_errno`, fi_cq_strerror(3)). */
  readonly provider?: { readonly errno: number; readonly message: string };
  /** What to try. */
  readonly hint?: string;

  constructor(message: string, details: FabricErrorDetails) {
    super(message);
    this.code = errorCode(details.errno);
    this.errno = details.errno;
    this.syscall = details.syscall;
    if (details.provider !== undefined) this.provider = details.provider;
    if (details.hint !== undefined) this.hint = details.hint;
  }

  static {
    this.prototype.name = 'FabricError';
  }
}

/** libfabric's name of a positive error number; `'FI_E999'` for one that it does not know. */
export function errorCode(errno: number): string {
  return CODES.get(errno) ?? `FI_E${errno}`;
}

/** libfabric's text for a positive error number. */
function errorText(errno: number): string {
  return binding.libraryStrerror(errno) ?? errorCode(errno);
}

/**
 * A FabricError whose message says what was asked, what failed and what to try.
 *
 * @param doing - What was asked, as the start of a sentence: `'cannot open a domain on eth0'`.
 */
export function fabricError(doing: string, details: FabricErrorDetails): FabricError {
  const { errno, syscall, provider, hint } = details;
  let message = `${doing}: ${errorText(errno)} (${errorCode(errno)} from ${syscall})`;
  if (provider !== undefined && provider.message !== '') {
    message += `; the provider says: ${provider.message} (${provider.errno})`;
  }
  if (hint !== undefined) message += `. ${hint}`;
  return new FabricError(message, details);
}

/** Returns a native result that is no error; throws a FabricError for a negative code. */
export function check<T>(result: T | number, syscall: string, doing: string, hint?: string): T {
  if (typeof result === 'number' && result < 0) {
    throw fabricError(doing, { errno: -result, syscall, hint });
  }
  return result as T;
}

/** Shows a value in an error message, shortly. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return `an object (${Object.prototype.toString.call(value)})`;
  return typeof value === 'function' ? 'a function' : String(value);
}

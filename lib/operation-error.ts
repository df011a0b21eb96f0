/** What a failed operation is reported as, whichever door it came through. */
import { ERRORS } from './constants.js';
import { efaHint } from './efa-hints.js';
import { fabricError, type FabricError } from './errors.js';

/** What to try, by error. */
const HINTS: Readonly<Record<number, string>> = {
  [ERRORS.FI_ETRUNC]: 'The message is longer than the buffer that was posted for it; post a larger one.',
  [ERRORS.FI_ECANCELED]:
    'The endpoint was closed, its connection ended, or the operation was cancelled, before it completed.',
};

/** @internal What the provider says of a failure: `prov_errno` of fi_cq(3) and fi_eq(3), and its words for it. */
export interface ProviderFailure {
  /** Which provider: `'efa'`. */
  readonly name: string | undefined;
  readonly errno: number;
  readonly message: string;
}

/** @internal @param doing - The start of the sentence: `'send failed'`. */
export function operationError(
  doing: string,
  details: { readonly errno: number; readonly syscall: string },
  provider?: ProviderFailure,
): FabricError {
  const { errno } = details;
  const hint = HINTS[errno];
  // Where the error itself says all, providers leave in their own number what happened to be there.
  if (hint !== undefined || provider === undefined || provider.errno === 0) {
    return fabricError(doing, { ...details, hint });
  }
  return fabricError(doing, {
    ...details,
    hint: provider.name === 'efa' ? efaHint(provider.errno) : undefined,
    provider: { errno: provider.errno, message: provider.message },
  });
}

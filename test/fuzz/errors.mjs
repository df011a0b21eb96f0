// @ts-nocheck: see values.mjs
/** What calls may fail with. */
import { FabricError } from 'node-libfabric';

/** Of our own signals. */
const SIGNALS = ['TimeoutError', 'AbortError'];

/** @throws for an error that is not a typed one. @param {unknown} error */
export function checkError(error) {
  if (error instanceof FabricError || error instanceof TypeError || error instanceof RangeError) return;
  if (error instanceof DOMException && SIGNALS.includes(error.name)) return;
  if (/^ERR_STREAM|^ABORT_ERR/.test(error?.code)) return;
  throw new Error('an error that is not one of ours', { cause: error });
}

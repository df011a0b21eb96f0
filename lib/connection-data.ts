/** Private data: the few bytes that travel with a connection request and its answer. */
import { show } from './errors.js';

/** @throws TypeError for what are no bytes, RangeError for more than `limit` of them. */
export function checkConnectionData(data: Uint8Array | undefined, limit: number): void {
  if (data === undefined) return;
  if (!(data instanceof Uint8Array)) throw new TypeError(`data: expected a Uint8Array, not ${show(data)}`);
  if (data.byteLength > limit) {
    throw new RangeError(`data: ${data.byteLength} bytes are more than the ${limit} that the provider carries`);
  }
}

// @ts-nocheck: what it is for is calling with wrong types
/** What random calls are made with: things that fit, and things that do not. */

/** Values that no call of the public interface wants. */
export const junk = [
  undefined,
  null,
  true,
  NaN,
  Infinity,
  -1,
  1.5,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 63),
  '',
  '0',
  'FI_MSG',
  0n,
  -1n,
  2n ** 64n,
  Symbol('junk'),
  () => 1,
  [],
  [1, 2, 3],
  {},
  Object.create(null),
  new Proxy({}, {}),
  new Date(0),
  new WeakRef({}),
];

/** A view that lies about where it is. */
class Liar extends Uint8Array {
  get buffer() {
    return /** @type {ArrayBuffer} */ ({});
  }
  get byteLength() {
    return 1e9;
  }
  get byteOffset() {
    return -5;
  }
}

/**
 * @param {number} largest bytes
 * @returns {ArrayBufferView[]}
 */
export function makeBuffers(largest) {
  const pool = new ArrayBuffer(largest);
  return [
    new Uint8Array(0),
    new Uint8Array(1),
    Buffer.from('pooled'),
    new Uint8Array(64),
    new Float64Array(8),
    new DataView(new ArrayBuffer(32), 8, 16),
    new Uint8Array(new SharedArrayBuffer(128)),
    new BigUint64Array(new SharedArrayBuffer(64), 8, 2),
    new Uint8Array(pool, 3, 1000),
    new Uint8Array(pool),
    new Liar(8),
    new Uint8Array(new ArrayBuffer(16, /** @type {object} */ ({ maxByteLength: 64 }))),
  ];
}

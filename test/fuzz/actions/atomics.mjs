// @ts-nocheck: see values.mjs
/** fi_atomic(3), all three calls of it. */
import { ATOMIC_DATATYPES, ATOMIC_OPERATIONS } from 'node-libfabric';

export const weight = 3;
export const isPossible = ({ main }) => main.caps.includes('FI_ATOMIC');

const OPERATIONS = Object.keys(ATOMIC_OPERATIONS);
const DATATYPES = Object.keys(ATOMIC_DATATYPES);
const KINDS = ['base', 'fetch', 'compare'];
const ARRAYS = [
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
];
const FLAGS = ['FI_DELIVERY_COMPLETE', 'FI_INJECT', 'FI_FENCE', 'FI_COMPLETION', 'FI_MORE'];

const operation = (s, a) => (a % 37 === 0 ? s.junk(a) : OPERATIONS[a % OPERATIONS.length]);
const array = (s, a, length) => (a % 41 === 0 ? s.junk(a) : new ARRAYS[a % ARRAYS.length](length % 20));
const options = (s, a, c) =>
  s.options(c, { remoteOffset: a % 5, flags: a % 3 === 0 ? [FLAGS[a % FLAGS.length]] : undefined });

export const actions = [
  (s, a, b, c) => s.endpoint(a).queryAtomic(operation(s, a), DATATYPES[b % DATATYPES.length], KINDS[c % 3]),
  (s, a, b, c) => s.endpoint(a).domain.queryAtomic(operation(s, a), DATATYPES[b % DATATYPES.length], KINDS[c % 3]),
  (s, a, b, c) =>
    s.track(s.endpoint(a).atomic(operation(s, b), array(s, a, c), s.address(c), s.any('remote', b), options(s, a, c))),
  (s, a, b, c) =>
    s.track(
      s
        .endpoint(a)
        .fetchAtomic(
          operation(s, b),
          b % 5 === 0 ? undefined : array(s, a, c),
          array(s, a, c % 4 === 0 ? b : c),
          s.address(c),
          s.any('remote', b),
          options(s, a, c),
        ),
    ),
  (s, a, b, c) =>
    s.track(
      s
        .endpoint(a)
        .compareAtomic(
          operation(s, b),
          array(s, a, c),
          array(s, c % 4 === 0 ? b : a, c),
          array(s, a, c),
          s.address(c),
          s.any('remote', b),
          options(s, a, c),
        ),
    ),
  (s, a, b, c) =>
    s.track(s.endpoint(a).injectAtomic(operation(s, b), array(s, a, c), s.address(c), s.any('remote', b), {})),
];

// @ts-nocheck: see values.mjs
/** fi_av(3) and fi_av_set(3). */
import { AddressVectorSet } from 'node-libfabric';

export const weight = 2;

const vector = (s, a) => (a % 3 === 0 ? s.any('vector', a) : s.endpoint(a).addressVector);
const several = (s, a, b) =>
  b % 13 === 0 ? s.junk(b) : Array.from({ length: b % 4 }, (_, i) => s.addressBytes(a + i));
const indices = (s, a, b) => (b % 13 === 0 ? s.junk(b) : Array.from({ length: b % 4 }, (_, i) => s.address(a + i)));

export const actions = [
  (s, a) => s.learn('endpoint', a),
  (s, a, b) => vector(s, a)?.insert(s.addressBytes(b)),
  (s, a) => s.any('endpoint', a)?.addressVector.insert(s.addresses.at(-1)),
  (s, a, b, c) => vector(s, a)?.insertMany(several(s, b, c)),
  (s, a, b) => vector(s, a)?.insertService([undefined, null, 7, '127.0.0.1'][b % 4], b % 30_000),
  (s, a, b, c) =>
    vector(s, a)?.insertSymmetric({ node: '127.0.0.1', service: 20_000 + (b % 1000) }, s.address(b), (c % 5) - 1),
  (s, a, b) => vector(s, a)?.remove(s.address(b)),
  (s, a, b, c) => vector(s, a)?.removeMany(indices(s, b, c)),
  (s, a, b) => vector(s, a)?.lookup(s.address(b)),
  (s, a, b) => vector(s, a)?.straddr(s.addressBytes(b)),
  (s, a, b, c) => vector(s, a)?.receiveContext(s.address(b), s.address(c)),
  (s, a, b, c) => s.keep('set', new AddressVectorSet(vector(s, a), indices(s, b, c), { capacity: (c % 9) + 1 })),
  (s, a, b) => s.any('set', a)?.insert(s.address(b)),
  (s, a, b) => s.any('set', a)?.remove(s.address(b)),
  (s, a, b) => s.any('set', a)?.union(s.any('set', b)),
  (s, a, b) => s.any('set', a)?.intersect(s.any('set', b)),
  (s, a, b) => s.any('set', a)?.difference(s.any('set', b)),
  (s, a) => s.any('set', a)?.members,
];

// @ts-nocheck: see values.mjs
/** fi_cntr(3). */
import { Counter } from 'node-libfabric';

const count = (s, b) => (b % 11 === 0 ? s.junk(b) : b % 20);

export const actions = [
  (s, a) => s.keep('counter', new Counter(a % 3 === 0 ? s.any('domain', a) : s.endpoint(a).domain)),
  (s, a) => [s.any('counter', a)?.read(), s.any('counter', a)?.readerr()],
  (s, a, b) => s.any('counter', a)?.add(count(s, b)),
  (s, a, b) => s.any('counter', a)?.adderr(count(s, b)),
  (s, a, b) => s.any('counter', a)?.set(count(s, b)),
  (s, a, b) => s.any('counter', a)?.seterr(count(s, b)),
  (s, a, b, c) => s.track(s.any('counter', a)?.wait(count(s, b), s.options(c, { timeout: c % 4 }))),
  (s, a, b) => s.track(s.any('counter', a)?.wait(count(s, b))),
  (s, a) => s.any('counter', a)?.close(),
];

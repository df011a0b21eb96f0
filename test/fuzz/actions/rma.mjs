// @ts-nocheck: see values.mjs
/** fi_rma(3): with regions that are open, closed, of others, or of nobody. */
export const weight = 4;
export const isPossible = ({ main }) => main.caps.includes('FI_RMA');

const FLAGS = [
  'FI_DELIVERY_COMPLETE',
  'FI_INJECT',
  'FI_FENCE',
  'FI_COMPLETION',
  'FI_MORE',
  'FI_COMMIT_COMPLETE',
  'FI_INJECT_COMPLETE',
  'FI_TRANSMIT_COMPLETE',
  'FI_READ',
];

const options = (s, a, c) =>
  s.options(c, {
    remoteOffset: a % 3 === 0 ? c % 60 : undefined,
    flags: a % 2 === 0 ? [FLAGS[a % FLAGS.length]] : undefined,
    data: a % 7 === 0 ? BigInt(a) : undefined,
  });
/** What operations read from or write to. */
const local = (s, b) =>
  b % 4 === 0 ? s.any('pooled', b)?.bytes : b % 5 === 0 ? s.any('region', b)?.bytes : s.buffer(b);
const offset = (c) => c % 50;

export const actions = [
  (s, a, b, c) => s.track(s.endpoint(a).write(local(s, b), s.address(c), s.any('remote', b), options(s, a, c))),
  (s, a, b, c) => s.track(s.endpoint(a).read(local(s, b), s.address(c), s.any('remote', b), options(s, a, c))),
  (s, a, b, c) => s.track(s.endpoint(a).write(s.buffers(b), s.address(c), s.any('remote', c), options(s, a, c))),
  (s, a, b, c) => s.track(s.endpoint(a).read(s.buffers(b), s.address(c), s.any('remote', c), options(s, a, c))),
  (s, a, b, c) => s.track(s.endpoint(a).injectWrite(s.buffer(b), s.address(c), s.any('remote', b), options(s, a, c))),
  (s, a, b, c) => s.endpoint(a).postWrite(local(s, b), s.address(c), s.any('remote', a), offset(c), s.context(b)),
  (s, a, b, c) => s.endpoint(a).postRead(local(s, b), s.address(c), s.any('remote', a), offset(c), s.context(b)),
  (s, a, b, c) =>
    s.endpoint(a).postWrite(local(s, b), s.address(c), s.any('remote', a), offset(c), s.context(b), s.any('posts', c)),
];

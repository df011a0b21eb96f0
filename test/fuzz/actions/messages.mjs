// @ts-nocheck: see values.mjs
/** fi_msg(3) and fi_tagged(3), through both doors. */
import { PostBatch } from 'node-libfabric';
import { setImmediate as nextTurn } from 'node:timers/promises';

export const weight = 6;

const FLAGS = [
  'FI_COMPLETION',
  'FI_INJECT',
  'FI_FENCE',
  'FI_MORE',
  'FI_DELIVERY_COMPLETE',
  'FI_TRANSMIT_COMPLETE',
  'FI_INJECT_COMPLETE',
  'FI_MATCH_COMPLETE',
  'FI_COMMIT_COMPLETE',
  'FI_REMOTE_CQ_DATA',
  'FI_PEEK',
  'FI_CLAIM',
  'FI_DISCARD',
  'FI_MULTI_RECV',
  'FI_PRIORITY',
  'FI_AFFINITY',
];

const flagsOf = (a) => [FLAGS[a % FLAGS.length], ...(a % 3 === 0 ? [FLAGS[(a >> 4) % FLAGS.length]] : [])];
/** With flags or immediate data, as a message that takes the general form. */
const general = (s, a, c) =>
  s.options(c, { flags: a % 4 === 0 ? undefined : flagsOf(a), data: a % 5 === 0 ? BigInt(c) : undefined });
/** An endpoint, or a context of a scalable or shared one. */
const poster = (s, a) => s.any(['endpoint', 'context', 'receive'][a % 8] ?? 'endpoint', a) ?? s.endpoint(a);

export const actions = [
  (s, a, b, c) => s.track(poster(s, a).send(s.buffer(b), s.address(c), s.options(c))),
  (s, a, b, c) => s.track(poster(s, a).recv(s.buffer(b), c % 3 === 0 ? s.address(c) : undefined, s.options(c))),
  (s, a, b, c) => s.track(poster(s, a).tsend(s.buffer(b), s.address(c), s.tag(a), s.options(c))),
  (s, a, b, c) => s.track(poster(s, a).trecv(s.buffer(b), s.tag(a), s.tag(c), undefined, s.options(c))),
  (s, a, b, c) => s.track(s.endpoint(a).inject(s.buffer(b), s.address(c))),
  (s, a, b, c) => s.track(s.endpoint(a).inject(s.buffer(b), s.address(c), { data: s.tag(a) })),
  (s, a, b, c) => s.track(s.endpoint(a).tinject(s.buffer(b), s.address(c), s.tag(b), { data: s.tag(a) })),
  (s, a, b, c) => s.track(s.endpoint(a).send(s.buffers(b), s.address(c), general(s, a, c))),
  (s, a, b, c) => s.track(s.endpoint(a).recv(s.buffers(b), undefined, general(s, a, c))),
  (s, a, b, c) => s.track(s.endpoint(a).tsend(s.buffers(b), s.address(c), s.tag(a), general(s, b, c))),
  (s, a, b, c) => s.track(s.endpoint(a).trecv(s.buffers(b), s.tag(a), s.tag(c), s.address(b), general(s, b, c))),
  (s, a, b, c) => poster(s, a).postSend(s.buffer(b), s.address(c), s.context(a)),
  (s, a, b, c) => poster(s, a).postRecv(s.buffer(b), s.context(a), c % 3 === 0 ? s.address(c) : undefined),
  (s, a, b, c) => s.endpoint(a).postTsend(s.buffer(b), s.address(c), s.tag(a), s.context(c)),
  (s, a, b, c) => s.endpoint(a).postTrecv(s.buffer(b), s.tag(a), s.tag(c), s.context(b)),
  (s, a, b, c) => s.endpoint(a).postInject(s.buffer(b), s.address(c)),
  (s, a, b, c) => poster(s, a).postSend(s.buffer(b), s.address(c), s.context(a), s.any('posts', c)),
  (s, a, b, c) => poster(s, a).postRecv(s.buffer(b), s.context(a), undefined, s.any('posts', c)),
  (s, a, b, c) => s.endpoint(a).postTsend(s.buffer(b), s.address(c), s.tag(a), s.context(c), s.any('posts', c)),
  (s, a, b, c) => s.endpoint(a).postTrecv(s.buffer(b), s.tag(a), s.tag(c), s.context(b), undefined, s.any('posts', c)),
  (s, a, b, c) => s.endpoint(a).postInject(s.buffer(b), s.address(c), s.any('posts', c)),
  (s, a, b, c) => s.endpoint(a).completionQueue.read(s.any('batch', b), c % 100, s.any('posts', c)),
  (s, a, b) => s.any('posts', a)?.rewind(b % 5 === 0 ? undefined : b % 5),
  (s, a, b) => b % 4 === 0 && s.any('posts', a)?.clear(),
  (s, a, b, c) => s.keep('posts', new PostBatch(c % 8 === 0 ? s.address(c) : (c % 16) + 1)),
  (s, a, b, c) => s.endpoint(a).postMultiRecv(s.buffer(b), s.context(c)),
  (s, a, b, c) => s.endpoint(a).completionQueue.read(s.any('batch', b), c % 100),
  (s, a, b, c) => s.any('queue', a)?.read(s.any('batch', b), s.address(c)),
  (s, a, b, c) => s.endpoint(a).completionQueue.strerror(s.address(c)),
  (s, a, b, c) => s.track(s.endpoint(a).completionQueue.remoteWrite(s.options(c))),
  (s, a, b, c) => cancelled(s, a, b, c),
  (s) => s.turn(),
  (s) => s.turn(),
];

/** Aborted at once, or after some turns. */
function cancelled(s, a, b, c) {
  const controller = new AbortController();
  const { signal } = controller;
  s.track(s.endpoint(a).trecv(s.buffer(b), s.tag(a), 0n, undefined, { signal }));
  s.track(s.endpoint(a).send(s.buffer(b), s.address(c), { signal }));
  if (c % 2 === 0) controller.abort();
  else s.track(nextTurn().then(() => controller.abort()));
}

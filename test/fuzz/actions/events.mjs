// @ts-nocheck: see values.mjs
/** fi_eq(3). */
import { EventQueue } from 'node-libfabric';

export const actions = [
  (s, a, b) =>
    s.keep('events', new EventQueue(a % 3 === 0 ? s.any('fabric', a) : s.endpoint(a).fabric, { size: b % 9 })),
  (s, a, b) => s.keep('events', new EventQueue(s.endpoint(a).fabric, s.junk(b))),
  (s, a, b) => s.any('events', a)?.write(s.tag(b)),
  (s, a) => s.keep('event', s.any('events', a)?.read()),
  (s, a) => s.keep('event', s.any('endpoint', a)?.eventQueue?.read()),
  (s, a, b, c) => s.track(s.any('events', a)?.next(s.options(c))),
  (s, a) => s.track(iterate(s.any('events', a))),
  (s, a) => s.any('events', a)?.ref().unref(),
  (s, a) => s.any('events', a)?.hasDescriptor,
  (s, a) => s.any('events', a)?.close(),
];

/** Until the queue is closed, which it is from inside after some events. */
async function iterate(queue) {
  let count = 0;
  for await (const event of queue) {
    if (event === undefined || ++count > 3) queue.close();
  }
}

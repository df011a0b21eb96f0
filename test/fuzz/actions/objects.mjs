// @ts-nocheck: see values.mjs
/** Opening and closing, in any order, with parents that fit and parents that do not. */
import { AddressVector, CompletionBatch, CompletionQueue, Domain, Endpoint, Fabric, getInfo } from 'node-libfabric';

export const weight = 4;

const KINDS = ['fabric', 'domain', 'queue', 'vector', 'endpoint', 'region', 'counter', 'events', 'set'];
const PARENTS = ['fabric', 'domain', 'completionQueue', 'addressVector', 'eventQueue'];
const PROGRESS = ['auto', 'spin', 'wait', 'manual'];

export const actions = [
  (s, a) => s.endpoint(a).ref().unref(),
  (s, a) => s.any('endpoint', a)?.unref(),
  (s, a) => s.any('endpoint', a)?.close(),
  (s, a, b) => s.track(s.any(KINDS[b % KINDS.length], a)?.close()),
  (s, a) => s.track(s.anything(a)?.close?.()),
  (s, a, b) => s.any('endpoint', a)?.[PARENTS[b % PARENTS.length]]?.close(),
  (s, a, b, c) => s.keep('fabric', new Fabric(c % 9 === 0 ? s.any('fabric', c) : s.infos.main)),
  (s, a) => s.keep('domain', new Domain(s.any('fabric', a))),
  (s, a, b) => s.keep('domain', new Domain(s.endpoint(a).fabric, undefined, { registrationLimit: b % 4 })),
  (s, a, b, c) => s.keep('queue', new CompletionQueue(s.any('domain', a), { size: b % 64, progress: PROGRESS[c % 4] })),
  (s, a, b, c) => s.keep('queue', new CompletionQueue(s.any('domain', a), s.junk(c))),
  (s, a, b) => s.keep('vector', new AddressVector(s.any('domain', a), { receiveContextBits: b % 6 })),
  (s, a, b, c) => s.keep('endpoint', open(s, a, b, c)),
  (s, a, b) => s.keep('endpoint', openBeside(s, a, b)),
  (s, a, b, c) => s.keep('batch', new CompletionBatch(c % 8 === 0 ? s.address(c) : (c % 16) + 1)),
  (s, a) => (a % 5 === 0 ? getInfo(s.junk(a)) : undefined),
  (s, a, b) => a % 5 === 0 && getInfo({ ...s.infos.main, srcAddr: s.addresses[a % 4], addrFormat: s.junk(b) }),
  (s, a, b) => s.detach(b),
  () => globalThis.gc(),
  (s) => s.turn(),
  (s) => s.turn(),
];

/** Of objects that need not belong together. */
function open(s, a, b, c) {
  return new Endpoint(s.any('domain', a), {
    completionQueue: s.any('queue', b),
    addressVector: s.any('vector', c),
    eventQueue: c % 5 === 0 ? s.any('events', a) : undefined,
    sharedTransmit: c % 7 === 0 ? s.any('transmit', b) : undefined,
    sharedReceive: c % 11 === 0 ? s.any('receive', b) : undefined,
    counters: b % 4 === 0 ? { send: s.any('counter', a), recv: s.any('counter', b) } : {},
  });
}

/** A neighbour in the domain of another endpoint, with its queue and vector. */
function openBeside(s, a, b) {
  const { domain, completionQueue, addressVector } = s.endpoint(a);
  const counters = b % 3 === 0 ? { write: s.any('counter', b), read: s.any('counter', a) } : {};
  return new Endpoint(domain, { completionQueue, addressVector, counters });
}

// @ts-nocheck: see values.mjs
/** fi_cm(3): passive endpoints, requests and connected endpoints. */
import { CompletionQueue, ConnectedEndpoint, Domain, EventQueue, Fabric, PassiveEndpoint } from 'node-libfabric';

export const weight = 3;
export const isPossible = ({ passive }) => passive !== undefined;

/** A fabric with connections, which has a domain and an event queue: `side`s are kept apart from other objects. */
function openSide(s) {
  const fabric = s.keep('fabric of connections', new Fabric(s.infos.passive));
  const side = { fabric, domain: new Domain(fabric), eventQueue: new EventQueue(fabric) };
  s.keep('events', side.eventQueue);
  return s.keep('side', side);
}
const side = (s, a) => s.any('side', a) ?? openSide(s);

/** Who requests arrive at: answered at once, or kept for later. */
function onRequest(s, there, choice) {
  return (request) => {
    s.keep('request', request);
    if (choice % 3 !== 0) s.attempt(() => accept(s, there, request, choice));
    if (choice % 11 === 0) s.attempt(() => request.passiveEndpoint.close());
    if (choice % 13 === 0) s.attempt(() => there.eventQueue.close());
  };
}

function accept(s, { domain, eventQueue }, request, choice) {
  const endpoint = open(s, { domain, eventQueue }, request, choice);
  s.track(endpoint.accept(s.options(choice, { data: data(s, choice) })));
}

function open(s, { domain, eventQueue }, from) {
  return s.keep(
    'connected',
    new ConnectedEndpoint(domain, { completionQueue: new CompletionQueue(domain), eventQueue }, from),
  );
}

const data = (s, choice) => (choice % 4 === 0 ? s.buffer(choice) : undefined);
/**
 * Where somebody listens or has listened. Never a connectionless endpoint: net of libfabric 1.17 takes one that connects to
 * it for another of its kind, and sends it what it does not survive (xnet_op_tagged).
 */
const address = (s, choice) => (choice % 9 === 0 ? s.junk(choice) : s.all('listening')[choice % 6]);

function listen(s, a, b) {
  const there = side(s, a);
  const passive = s.keep('passive', new PassiveEndpoint(there.fabric, there));
  passive.listen({ backlog: b % 7 === 0 ? s.context(b) : undefined, onRequest: onRequest(s, there, b) });
  s.keep('listening', passive.address);
}

export const actions = [
  (s, a, b) => listen(s, a, b),
  (s, a, b) => s.keep('passive', new PassiveEndpoint(s.any('fabric', a), { eventQueue: s.any('events', b) })),
  (s, a, b) => s.any('passive', a)?.listen(s.options(b)),
  (s, a) => s.any('passive', a)?.ref().unref(),
  (s, a) => [s.any('passive', a)?.dataSize, s.any('passive', a)?.address],
  (s, a, b) => s.any('passive', a)?.setName(s.addressBytes(b)),
  (s, a) => s.any('passive', a)?.close(),
  (s, a, b) => open(s, side(s, a), b % 9 === 0 ? s.any('request', b) : undefined),
  (s, a, b, c) => s.track(open(s, side(s, a)).connect(s.options(c, { address: address(s, b), data: data(s, c) }))),
  (s, a, b, c) => s.track(s.any('connected', a)?.connect(s.options(c, { address: address(s, b), data: data(s, c) }))),
  (s, a, b, c) => s.track(s.any('connected', a)?.accept(s.options(c, { data: data(s, b) }))),
  (s, a, b) => accept(s, side(s, b), s.any('request', a), b),
  (s, a, b) => s.any('request', a)?.reject(data(s, b)),
  (s, a) => s.any('request', a)?.close(),
  (s, a, b, c) => s.track(s.any('connected', a)?.send(s.buffer(b), undefined, s.options(c))),
  (s, a, b, c) => s.track(s.any('connected', a)?.recv(s.buffer(b), undefined, s.options(c))),
  (s, a, b, c) => s.track(s.any('connected', a)?.send(s.buffers(b), s.address(c), s.options(c))),
  (s, a, b) => s.any('connected', a)?.postRecv(s.buffer(b), s.context(b)),
  (s, a) => [s.any('connected', a)?.state, s.any('connected', a)?.dataSize, s.any('connected', a)?.peerAddress],
  (s, a) => s.track(s.any('connected', a)?.disconnected),
  (s, a) => s.any('connected', a)?.shutdown(),
  (s, a) => s.any('connected', a)?.close(),
  (s, a) => s.any('side', a)?.fabric.close(),
  (s, a) => s.any('side', a)?.eventQueue.read(),
];

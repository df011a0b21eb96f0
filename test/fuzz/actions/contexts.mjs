// @ts-nocheck: see values.mjs
/** Shared transmit and receive contexts, scalable endpoints and their contexts: fi_endpoint(3). */
import { Endpoint, ScalableEndpoint, SharedReceiveContext, SharedTransmitContext } from 'node-libfabric';

/** What providers allow is 1 for those without. */
export const isPossible = ({ main }) => main.domainAttr.maxEpTxCtx > 1;

const bindings = (s, a) => {
  const { domain, completionQueue, addressVector } = s.endpoint(a);
  return { domain, completionQueue, addressVector };
};

export const actions = [
  (s, a) => s.keep('transmit', new SharedTransmitContext(s.endpoint(a).domain)),
  (s, a) => s.keep('receive', new SharedReceiveContext(s.endpoint(a).domain, s.endpoint(a).completionQueue)),
  (s, a, b) => s.keep('receive', new SharedReceiveContext(s.any('domain', a), s.any('queue', b))),
  (s, a, b) => s.keep('endpoint', sharing(s, s.any('transmit', a), s.any('receive', b), a)),
  (s, a, b, c) => s.keep('scalable', openScalable(s, a, b, c)),
  (s, a, b, c) => s.keep('context', s.any('scalable', a)?.transmitContext(b % 4, s.any('queue', c))),
  (s, a, b) => s.keep('context', openContext(s.any('scalable', a), 'transmitContext', b % 4, s)),
  (s, a, b) => s.keep('context', openContext(s.any('scalable', a), 'receiveContext', b % 4, s)),
  (s, a) => s.learn('scalable', a),
  (s, a) => s.any('receive', a)?.address,
  (s, a) => s.any('context', a)?.address,
  (s, a, b) => s.any(['transmit', 'receive', 'scalable', 'context'][b % 4], a)?.close(),
];

function openScalable(s, a, b, c) {
  const { domain, addressVector } = bindings(s, a);
  return new ScalableEndpoint(domain, addressVector, { transmitContexts: b % 4, receiveContexts: c % 4 });
}

/** With the queue of an endpoint in the same domain. */
function openContext(scalable, kind, index, s) {
  const neighbour = s.all('endpoint').find(({ domain, closed }) => domain === scalable?.domain && !closed);
  return scalable?.[kind](index, neighbour?.completionQueue);
}

/** An endpoint where the contexts are. */
function sharing(s, sharedTransmit, sharedReceive, a) {
  const neighbour = s.all('endpoint').find(({ domain }) => domain === (sharedReceive ?? sharedTransmit)?.domain);
  const { domain, completionQueue, addressVector } = neighbour ?? bindings(s, a);
  return new Endpoint(domain, { completionQueue, addressVector, sharedTransmit, sharedReceive });
}

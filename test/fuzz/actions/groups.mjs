// @ts-nocheck: see values.mjs
/** fi_collective(3), and multicast of fi_cm(3). */
import {
  AddressVectorSet,
  COLLECTIVES,
  CollectiveGroup,
  Endpoint,
  MulticastGroup,
  queryCollective,
  REDUCTIONS,
} from 'node-libfabric';

export const weight = 2;
export const isPossible = ({ collective, multicast }) => collective !== undefined || multicast !== undefined;

const ARRAYS = [Int8Array, Uint8Array, Int16Array, Int32Array, BigUint64Array, Float32Array, Float64Array, DataView];

const array = (s, a, length) => (a % 23 === 0 ? s.junk(a) : new ARRAYS[a % 7](length % 12));
const reduction = (s, a) => (a % 29 === 0 ? s.junk(a) : Object.keys(REDUCTIONS)[a % 10]);
const root = (s, a) => (a % 19 === 0 ? s.junk(a) : a % 3);

/** A member: an endpoint with collectives, which knows all members so far. */
function openMember(s) {
  const member = s.keep('member', Endpoint.open(s.infos.collective));
  for (const other of s.all('member')) {
    s.attempt(() => other.addressVector.insert(member.address));
    if (other !== member) s.attempt(() => member.addressVector.insert(other.address));
  }
  return member;
}
const member = (s, a) => s.any('member', a) ?? openMember(s);

/** Everybody who is there joins. */
function joinAll(s, c) {
  const members = s.all('member').filter(({ closed }) => !closed);
  const addresses = members.map(({ address }) => address);
  for (const endpoint of members) {
    const { addressVector } = endpoint;
    const set = s.keep('set', new AddressVectorSet(addressVector, addressVector.insertMany(addresses)));
    s.keepLater('group', CollectiveGroup.join(endpoint, set, { signal: AbortSignal.timeout(20 + (c % 20)) }));
  }
}

/** The same collective by every group at hand. */
function together(s, call) {
  for (const group of s.all('group')) s.attempt(() => s.track(call(group)));
}

const collectiveActions = [
  (s) => openMember(s),
  (s, a, b, c) => joinAll(s, c),
  (s, a, b, c) => s.keepLater('group', CollectiveGroup.join(member(s, a), s.any('set', b), s.options(c))),
  (s) => together(s, (group) => group.barrier()),
  (s, a, b) => together(s, (group) => group.broadcast(array(s, a, 6), root(s, b))),
  (s, a, b) => together(s, (group) => group.allreduce(array(s, a, b), array(s, a, b), reduction(s, b))),
  (s, a, b) => together(s, (group) => group.allgather(array(s, a, b), array(s, a, b * group.size))),
  (s, a) => together(s, (group) => group.reduceScatter(array(s, a, 2 * group.size), array(s, a, 2), 'FI_SUM')),
  (s, a) => together(s, (group) => group.alltoall(array(s, a, group.size), array(s, a, group.size))),
  (s, a, b) =>
    together(s, (group) =>
      group.scatter(group.rank === b % 3 ? array(s, a, group.size) : undefined, array(s, a, 1), root(s, b)),
    ),
  (s, a, b, c) => s.track(s.any('group', a)?.reduce(array(s, b, c), array(s, b, c), reduction(s, c), root(s, b))),
  (s, a, b, c) => s.track(s.any('group', a)?.gather(array(s, b, c), array(s, b, c), root(s, b))),
  (s, a, b) => s.any('group', a)?.supports(Object.keys(COLLECTIVES)[b % 9], array(s, b, 1), reduction(s, a)),
  (s, a, b) => queryCollective(member(s, a).domain, Object.keys(COLLECTIVES)[b % 10], array(s, a, 1)),
  (s, a) => s.any('group', a)?.close(),
  (s, a) => s.any('member', a)?.close(),
];

/** Of no group: joining one would be heard on other interfaces than that of loopback. */
const somewhere = (s, b) => (b % 2 === 0 ? s.any('caster', b)?.address : s.addressBytes(b));

const multicastActions = [
  (s) => s.keep('caster', Endpoint.open(s.infos.multicast)),
  (s, a, b, c) =>
    s.keepLater('cast', MulticastGroup.join(s.any('caster', a), somewhere(s, b), { signal: s.signal(c) })),
  (s, a, b, c) => s.track(s.any('caster', a)?.send(s.buffer(b), s.any('cast', c)?.address)),
  (s, a, b) => s.track(s.any('caster', a)?.recv(s.buffer(b))),
  (s, a, b, c) => s.track(s.any('caster', a)?.tsend(s.buffer(b), s.any('cast', c)?.address, 1n)),
  (s, a) => s.any('cast', a)?.close(),
  (s, a) => s.any('caster', a)?.close(),
];

const possible = (s) => [
  ...(s.infos.collective === undefined ? [] : collectiveActions),
  ...(s.infos.multicast === undefined ? [] : multicastActions),
];

export const actions = Array.from(
  { length: collectiveActions.length + multicastActions.length },
  (_, index) => (s, a, b, c) => {
    const list = possible(s);
    return list[index % list.length](s, a, b, c);
  },
);

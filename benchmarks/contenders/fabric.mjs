/** Endpoints, as a program opens them. */
import { Endpoint, select } from 'node-libfabric';
import { hear, say } from './lines.mjs';

/** @typedef {import('./options.mjs').Options} Options */

/**
 * @param {Options} options
 * @param {import('node-libfabric').Hints['caps']} caps
 */
export function chooseInterface({ provider, domain }, caps = ['FI_MSG', 'FI_TAGGED']) {
  const domainAttr = domain === undefined ? {} : { name: domain };
  return select({ require: provider, hints: { caps, domainAttr } }).info;
}

/**
 * Opens an endpoint, and the neighbours that the options ask for, which stay idle.
 *
 * @param {Options} options
 * @param {import('node-libfabric').ProgressMode} progress
 * @param {import('node-libfabric').Hints['caps']} [caps]
 */
export function openEndpoint(options, progress, caps) {
  const info = chooseInterface(options, caps);
  for (let i = 1; i < options.endpoints; i++) neighbours.push(Endpoint.open(info, { progress }));
  return Endpoint.open(info, { progress });
}

/** @type {Endpoint[]} */
const neighbours = [];

/** @param {Endpoint} endpoint */
export function closeEndpoint(endpoint) {
  endpoint.close();
  for (const neighbour of neighbours) neighbour.close();
}

/**
 * Swaps addresses with the other end.
 *
 * @param {Endpoint} endpoint
 * @param {Options} options `addresses` - 1 others are inserted before the peer's
 * @returns {Promise<number>} the peer
 */
export async function meet(endpoint, { addresses }) {
  say(endpoint.address.toString('hex'));
  const peer = Buffer.from(await hear(), 'hex');
  for (let i = 1; i < addresses; i++) endpoint.addressVector.insert(elsewhere(peer, i));
  return endpoint.addressVector.insert(peer);
}

/**
 * The socket address of nobody: another port of another address of this host.
 *
 * @param {Buffer} address
 * @param {number} port
 */
function elsewhere(address, port) {
  const copy = Buffer.from(address);
  copy.writeUInt16BE(port, 2);
  copy.writeUInt8(2, 7);
  return copy;
}

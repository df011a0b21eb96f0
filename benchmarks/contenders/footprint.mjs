/**
 * What grows with the number of endpoints, and with the number of peers that one knows: memory, file descriptors, time. For
 * plans beyond one machine.
 */
import { AddressVector, CompletionBatch, Domain, Endpoint, Fabric } from 'node-libfabric';
import { readdirSync, readFileSync } from 'node:fs';
import { chooseInterface } from './fabric.mjs';
import { report } from './lines.mjs';
import { readOptions } from './options.mjs';

/** Endpoints that are opened before anything is counted: what comes once for all. */
const BEFORE = 4;
const DEADLINE_MILLISECONDS = 5000;

const options = readOptions();
const info = chooseInterface(options);

/** Resident memory that is no file's, shared or not, in kilobytes. */
function residentKilobytes() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const part = (/** @type {string} */ name) => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]);
  return part('RssAnon') + part('RssShmem');
}

const descriptors = () => readdirSync('/proc/self/fd').length;

/** @type {Endpoint[]} */
const open = [];
/** @param {number} count */
function openSome(count) {
  for (let i = 0; i < count; i++) open.push(Endpoint.open(info, { progress: 'manual' }));
}

openSome(BEFORE);
const before = { kilobytes: residentKilobytes(), descriptors: descriptors() };
openSome(options.endpoints);
const endpoints = {
  kilobytesPerEndpoint: (residentKilobytes() - before.kilobytes) / options.endpoints,
  descriptorsPerEndpoint: (descriptors() - before.descriptors) / options.endpoints,
};
const first = /** @type {Endpoint} */ (open[0]);
const { address } = first;

/** A socket address of nobody: where there are none, as with shm, peers cannot be made up. */
function peers() {
  if (info.addrFormat !== 'FI_SOCKADDR_IN') return {};
  const vector = new AddressVector(new Domain(new Fabric(info)));
  const kilobytes = residentKilobytes();
  const start = performance.now();
  for (let i = 0; i < options.addresses; i++) {
    const copy = Buffer.from(address);
    copy.writeUInt16BE(1024 + (i % 60_000), 2);
    copy.writeUInt8(2 + Math.floor(i / 60_000), 7);
    vector.insert(copy);
  }
  const elapsed = performance.now() - start;
  return {
    bytesPerPeer: ((residentKilobytes() - kilobytes) * 1024) / options.addresses,
    microsecondsPerInsert: (elapsed * 1000) / options.addresses,
  };
}

/** What it takes to have exchanged something with a peer: both ends are in this process, and have half of it each. */
function connections() {
  const batch = new CompletionBatch(8);
  const others = open.slice(1);
  const [question, answer] = [Buffer.alloc(8), Buffer.alloc(8)];
  const start = { kilobytes: residentKilobytes(), descriptors: descriptors() };
  for (const other of others) {
    const peer = first.addressVector.insert(other.address);
    const end = performance.now() + DEADLINE_MILLISECONDS;
    let arrived = 0;
    while (!other.postRecv(answer, 1)) other.completionQueue.read(batch);
    while (!first.postSend(question, peer, 2)) {
      for (const { completionQueue } of [first, other]) completionQueue.read(batch);
    }
    while (arrived === 0) {
      first.completionQueue.read(batch);
      arrived = other.completionQueue.read(batch);
      if (performance.now() > end) throw new Error('a first message did not arrive');
    }
  }
  const ends = 2 * others.length;
  return {
    kilobytesPerConnection: (residentKilobytes() - start.kilobytes) / ends,
    descriptorsPerConnection: (descriptors() - start.descriptors) / ends,
  };
}

report({ phases: [{ ...endpoints, ...connections(), ...peers() }] });
// Opened to be counted: there is nothing to be learnt from closing them.
process.exit();

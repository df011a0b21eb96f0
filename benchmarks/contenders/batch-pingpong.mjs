/** Ping-pong through the batch door: the loop of ../reference/pingpong.c. */
import { CompletionBatch } from 'node-libfabric';
import { closeEndpoint, meet, openEndpoint } from './fabric.mjs';
import { part, report } from './lines.mjs';
import { readOptions } from './options.mjs';
import { CHECKED, checkPattern, fillPattern, LAST, TIMED } from './pattern.mjs';
import { roundTrips, samples } from './samples.mjs';

/** Posting a receive never stands between a message and its answer. */
const RECEIVES_AHEAD = 2;
/** Contexts. */
const SEND = 1;
const RECEIVE = 2;
/** How long one read of the queue may wait natively. */
const SPIN_MICROSECONDS = 500;

const options = readOptions();
const endpoint = openEndpoint(options, 'manual');
const queue = endpoint.completionQueue;
const batch = new CompletionBatch(64);
const outgoing = Buffer.alloc(options.largest);
const incoming = Buffer.alloc(options.largest);
const expected = Buffer.alloc(options.largest);
fillPattern(outgoing, options.isClient);
fillPattern(expected, !options.isClient);
let posted = 0;
let received = 0;
let sent = 0;
let completed = 0;
let arrivedLength = 0;

function postReceive() {
  if (endpoint.postRecv(incoming, RECEIVE)) posted++;
}

/** @param {Buffer} message */
function postMessage(message) {
  if (message.length <= endpoint.info.txAttr.injectSize) {
    if (!endpoint.postInject(message, peer)) return false;
    completed++;
  } else if (!endpoint.postSend(message, peer, SEND)) {
    return false;
  }
  sent++;
  return true;
}

/** @param {number} spin */
function takeCompletions(spin) {
  const count = queue.read(batch, spin);
  for (let i = 0; i < count; i++) {
    if (batch.error[i] !== 0) throw new Error(`an operation failed: ${queue.strerror(batch.providerError[i] ?? 0)}`);
    if (batch.context[i] === SEND) {
      completed++;
    } else {
      received++;
      arrivedLength = batch.length[i] ?? 0;
    }
  }
}

/** @param {Buffer} message */
function sendMessage(message) {
  while (!postMessage(message)) takeCompletions(0);
  if (posted < received + RECEIVES_AHEAD) postReceive();
}

/**
 * Waits for message number `wanted`.
 * @param {number} size
 * @param {number} wanted
 */
function receiveMessage(size, wanted) {
  while (received < wanted) takeCompletions(SPIN_MICROSECONDS);
  if (arrivedLength !== size) throw new Error(`${arrivedLength} bytes arrived where ${size} were due`);
}

/** @param {Buffer} message */
function roundTrip(message) {
  sendMessage(message);
  receiveMessage(message.length, sent);
}

/**
 * @param {Buffer} message
 * @param {number} purpose
 */
function checkedRoundTrip(message, purpose) {
  message[0] = purpose;
  roundTrip(message);
  checkPattern(incoming.subarray(0, message.length), expected);
}

/** @param {number} size */
function runClient(size) {
  const message = outgoing.subarray(0, size);
  let end = performance.now() + options.seconds * 500;
  do checkedRoundTrip(message, CHECKED);
  while (performance.now() < end);

  const start = performance.now();
  let before = start;
  let count = 0;
  end = start + options.seconds * 1000;
  message[0] = TIMED;
  do {
    roundTrip(message);
    const now = performance.now();
    samples[count++] = now - before;
    before = now;
  } while (before < end && count < samples.length);

  checkedRoundTrip(message, LAST);
  while (completed < sent) takeCompletions(SPIN_MICROSECONDS);
  return roundTrips(size, count, before - start);
}

/** @param {number} size */
function runServer(size) {
  const message = outgoing.subarray(0, size);
  let purpose;
  do {
    receiveMessage(size, sent + 1);
    purpose = incoming[0];
    if (purpose !== TIMED) checkPattern(incoming.subarray(0, size), expected);
    sendMessage(message);
  } while (purpose !== LAST);
  while (completed < sent) takeCompletions(SPIN_MICROSECONDS);
}

for (let i = 0; i < RECEIVES_AHEAD; i++) postReceive();
const peer = await meet(endpoint, options);
const phases = options.sizes.map(options.isClient ? runClient : runServer);
await part(() => {
  takeCompletions(0);
});
closeEndpoint(endpoint);
report({ phases });

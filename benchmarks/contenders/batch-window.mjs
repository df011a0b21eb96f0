/** Windows of messages through the batch door: the loop of ../reference/window.c. */
import { CompletionBatch } from 'node-libfabric';
import { closeEndpoint, meet, openEndpoint } from './fabric.mjs';
import { part, report } from './lines.mjs';
import { watchMemory } from './memory.mjs';
import { readOptions } from './options.mjs';
import { CHECKED, checkPattern, fillPattern, LAST, TIMED } from './pattern.mjs';
import { throughput } from './throughput.mjs';

const ACKNOWLEDGEMENT_BYTES = 4;
/** How many acknowledgements the client has receives for. */
const ACKNOWLEDGEMENTS_AHEAD = 2;
/** Of each phase, however long they take. */
const FEWEST_WINDOWS = 3;
/** Messages before memory is watched: until everything is compiled. */
const UNWATCHED = 200_000;
/** Contexts. */
const SEND = 1;
const RECEIVE = 2;
/** How long one read of the queue may wait natively. */
const SPIN_MICROSECONDS = 500;

const options = readOptions();
const { window } = options;
const endpoint = openEndpoint(options, 'manual');
const queue = endpoint.completionQueue;
const batch = new CompletionBatch(64);
const outgoing = Buffer.alloc(options.largest);
const incoming = Buffer.alloc(options.largest);
const expected = Buffer.alloc(options.largest);
const acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);
fillPattern(outgoing, options.isClient);
fillPattern(expected, !options.isClient);
let posted = 0;
let received = 0;
let sent = 0;
let completed = 0;

/** @param {Buffer} buffer */
function postReceive(buffer) {
  if (!endpoint.postRecv(buffer, RECEIVE)) return false;
  posted++;
  return true;
}

/** @param {Buffer} buffer */
function postSend(buffer) {
  if (!endpoint.postSend(buffer, peer, SEND)) return false;
  sent++;
  return true;
}

/** @param {number} size */
function takeCompletions(size, spin = SPIN_MICROSECONDS) {
  const count = queue.read(batch, spin);
  for (let i = 0; i < count; i++) {
    if (batch.error[i] !== 0) throw new Error(`an operation failed: ${queue.strerror(batch.providerError[i] ?? 0)}`);
    if (batch.context[i] === SEND) {
      completed++;
    } else if (batch.length[i] === size) {
      received++;
    } else {
      throw new Error(`${batch.length[i] ?? 0} bytes arrived where ${size} were due`);
    }
  }
}

/**
 * @param {Buffer} message
 * @param {number} purpose
 */
function sendWindow(message, purpose) {
  message[0] = purpose;
  const wanted = sent + window;
  const acknowledged = received + 1;
  while (received < acknowledged) {
    while (sent < wanted && postSend(message)) continue;
    if (posted < received + ACKNOWLEDGEMENTS_AHEAD) postReceive(acknowledgement);
    takeCompletions(ACKNOWLEDGEMENT_BYTES);
  }
}

/**
 * Sends as many messages, without a look at the clock: what it allocates is not what sending allocates.
 *
 * @param {Buffer} message
 */
function sendMessages(message) {
  for (let count = 0; count < UNWATCHED; count += window) sendWindow(message, TIMED);
  const memoryCost = watchMemory();
  for (let count = 0; count < options.messages; count += window) sendWindow(message, TIMED);
  return memoryCost(options.messages);
}

/** @param {Buffer} message */
function sendForSeconds(message) {
  const start = performance.now();
  const end = start + options.seconds * 1000;
  let now = start;
  let windows = 0;
  while (now < end || windows < FEWEST_WINDOWS) {
    sendWindow(message, TIMED);
    now = performance.now();
    windows++;
  }
  return throughput(message.length, windows * window, now - start);
}

/** @param {number} size */
function runClient(size) {
  const message = outgoing.subarray(0, size);
  const end = performance.now() + options.seconds * 500;
  do sendWindow(message, CHECKED);
  while (performance.now() < end);
  const result = options.messages > 0 ? sendMessages(message) : sendForSeconds(message);
  sendWindow(message, LAST);
  while (completed < sent) takeCompletions(ACKNOWLEDGEMENT_BYTES);
  return result;
}

/** @param {number} size */
function runServer(size) {
  const start = received;
  let watchedFrom = 0;
  let memoryCost;
  let purpose;
  do {
    const wanted = received + window;
    while (received < wanted) {
      while (posted < received + window && postReceive(incoming)) continue;
      takeCompletions(size);
    }
    // Nothing can arrive before the window is acknowledged: the buffer is quiet.
    purpose = incoming[0];
    if (purpose !== TIMED) checkPattern(incoming.subarray(0, size), expected);
    if (options.messages > 0 && memoryCost === undefined && received - start >= UNWATCHED) {
      watchedFrom = received;
      memoryCost = watchMemory();
    }
    while (!postSend(acknowledgement)) takeCompletions(size, 0);
  } while (purpose !== LAST);
  return memoryCost?.(received - watchedFrom);
}

if (!options.isClient) {
  while (posted < window && postReceive(incoming)) continue;
}
const peer = await meet(endpoint, options);
const phases = options.sizes.map(options.isClient ? runClient : runServer);
await part(() => {
  takeCompletions(0, 0);
});
closeEndpoint(endpoint);
report({ phases });

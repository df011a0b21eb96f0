/** Windows of messages through the batch door: the loop of ../reference/window.c. */
import { CompletionBatch, PostBatch } from 'node-libfabric';
import { closeEndpoint, meet, openEndpoint } from './fabric.mjs';
import { part, report } from './lines.mjs';
import { watchMemory } from './memory.mjs';
import { readOptions } from './options.mjs';
import { CHECKED, checkPattern, fillPattern, LAST, TIMED } from './pattern.mjs';
import { throughput } from './throughput.mjs';

const ACKNOWLEDGEMENT_BYTES = 4;
/** Of each phase, however long they take. */
const FEWEST_WINDOWS = 3;
/** Messages before memory is watched: until everything is compiled. */
const UNWATCHED = 1_000_000;
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
const windowPosts = new PostBatch(window + 1);
const receivePosts = new PostBatch(window);
const outgoing = Buffer.alloc(options.largest);
const incoming = Buffer.alloc(options.largest);
const expected = Buffer.alloc(options.largest);
const acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);
fillPattern(outgoing, options.isClient);
fillPattern(expected, !options.isClient);
/** Receives that have been asked for, the server's. */
let posted = window;
let received = 0;
/** What the server waits for; more may have come by then. */
let wanted = 0;
let sent = 0;
let completed = 0;

/**
 * @param {number} size
 * @param {PostBatch} [posts]
 */
function takeCompletions(size, posts, spin = SPIN_MICROSECONDS) {
  const count = queue.read(batch, spin, posts);
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

/** @param {Buffer} message what {@link sendWindow} sends from now on */
function prepareWindow(message) {
  windowPosts.clear();
  endpoint.postRecv(acknowledgement, RECEIVE, undefined, windowPosts);
  for (let i = 0; i < window; i++) endpoint.postSend(message, peer, SEND, windowPosts);
  windowPosts.rewind(0);
}

/**
 * @param {Buffer} message
 * @param {number} purpose
 */
function sendWindow(message, purpose) {
  message[0] = purpose;
  const acknowledged = received + 1;
  sent += window;
  windowPosts.rewind();
  while (received < acknowledged || !windowPosts.isPosted) takeCompletions(ACKNOWLEDGEMENT_BYTES, windowPosts);
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
  prepareWindow(message);
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
    wanted += window;
    while (received < wanted) {
      // Every message that came makes room for another receive.
      if (receivePosts.isPosted && posted < received + window) {
        receivePosts.rewind(received + window - posted);
        posted = received + window;
      }
      takeCompletions(size, receivePosts);
    }
    // Nothing can arrive before the window is acknowledged: the buffer is quiet.
    purpose = incoming[0];
    if (purpose !== TIMED) checkPattern(incoming.subarray(0, size), expected);
    if (options.messages > 0 && memoryCost === undefined && received - start >= UNWATCHED) {
      watchedFrom = received;
      memoryCost = watchMemory();
    }
    while (!endpoint.postSend(acknowledgement, peer, SEND)) takeCompletions(size, undefined, 0);
    sent++;
  } while (purpose !== LAST);
  return memoryCost?.(received - watchedFrom);
}

if (!options.isClient) {
  for (let i = 0; i < window; i++) endpoint.postRecv(incoming, RECEIVE, undefined, receivePosts);
  do takeCompletions(0, receivePosts, 0);
  while (!receivePosts.isPosted);
}
const peer = await meet(endpoint, options);
const phases = options.sizes.map(options.isClient ? runClient : runServer);
await part(() => {
  takeCompletions(0, undefined, 0);
});
closeEndpoint(endpoint);
report({ phases });

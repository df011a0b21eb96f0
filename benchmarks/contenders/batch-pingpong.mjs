/** Ping-pong through the batch door: the loop of ../reference/pingpong.c. */
import { CompletionBatch, PostBatch } from 'node-libfabric';
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
const posts = new PostBatch(2);
const outgoing = Buffer.alloc(options.largest);
const incoming = Buffer.alloc(options.largest);
const expected = Buffer.alloc(options.largest);
fillPattern(outgoing, options.isClient);
fillPattern(expected, !options.isClient);
let received = 0;
let sent = 0;
let completed = 0;
let arrivedLength = 0;
let isInjected = false;

/** @param {Buffer} message what the posts of the next phase send */
function preparePosts(message) {
  posts.clear();
  isInjected = message.length <= endpoint.info.txAttr.injectSize;
  if (isInjected) endpoint.postInject(message, peer, posts);
  else endpoint.postSend(message, peer, SEND, posts);
  endpoint.postRecv(incoming, RECEIVE, undefined, posts);
  posts.rewind(0);
}

/** Sends a message, and posts a receive in place of the one that was used, with the next look at the queue. */
function sendMessage() {
  posts.rewind();
  sent++;
  if (isInjected) completed++;
}

/** @param {number} spin */
function takeCompletions(spin) {
  const count = queue.read(batch, spin, posts);
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

function finishSends() {
  while (completed < sent || !posts.isPosted) takeCompletions(SPIN_MICROSECONDS);
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
  sendMessage();
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
  preparePosts(message);
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
  finishSends();
  return roundTrips(size, count, before - start);
}

/** @param {number} size */
function runServer(size) {
  preparePosts(outgoing.subarray(0, size));
  let purpose;
  do {
    receiveMessage(size, sent + 1);
    purpose = incoming[0];
    if (purpose !== TIMED) checkPattern(incoming.subarray(0, size), expected);
    sendMessage();
  } while (purpose !== LAST);
  finishSends();
}

for (let i = 0; i < RECEIVES_AHEAD; i++) endpoint.postRecv(incoming, RECEIVE);
const peer = await meet(endpoint, options);
const phases = options.sizes.map(options.isClient ? runClient : runServer);
await part(() => {
  takeCompletions(0);
});
closeEndpoint(endpoint);
report({ phases });

/** Windows of messages through the promise door, as a program would write it. */
import { closeEndpoint, meet, openEndpoint } from './fabric.mjs';
import { part, report } from './lines.mjs';
import { watchMemory } from './memory.mjs';
import { readOptions } from './options.mjs';
import { CHECKED, checkPattern, fillPattern, LAST, TIMED } from './pattern.mjs';
import { throughput } from './throughput.mjs';

/** @typedef {import('node-libfabric').Completion} Completion */

const ACKNOWLEDGEMENT_BYTES = 4;
/** Of each phase, however long they take. */
const FEWEST_WINDOWS = 3;
/** Messages before memory is watched: until everything is compiled, and V8's young generation has its final size. */
const UNWATCHED = 4_000_000;

const options = readOptions();
const { window } = options;
const endpoint = openEndpoint(options, 'auto');
const outgoing = Buffer.alloc(options.largest);
const incoming = Buffer.alloc(options.largest);
const expected = Buffer.alloc(options.largest);
const acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);
fillPattern(outgoing, options.isClient);
fillPattern(expected, !options.isClient);

/**
 * @param {Buffer} message
 * @param {number} purpose
 */
async function sendWindow(message, purpose) {
  message[0] = purpose;
  const operations = [endpoint.recv(acknowledgement)];
  for (let i = 0; i < window; i++) operations.push(endpoint.send(message, peer));
  await Promise.all(operations);
}

/**
 * Sends as many messages, without a look at the clock: what it allocates is not what sending allocates.
 *
 * @param {Buffer} message
 */
async function sendMessages(message) {
  for (let count = 0; count < UNWATCHED; count += window) await sendWindow(message, TIMED);
  const memoryCost = watchMemory();
  for (let count = 0; count < options.messages; count += window) await sendWindow(message, TIMED);
  return memoryCost(options.messages);
}

/** @param {Buffer} message */
async function sendForSeconds(message) {
  const start = performance.now();
  const end = start + options.seconds * 1000;
  let now = start;
  let windows = 0;
  while (now < end || windows < FEWEST_WINDOWS) {
    await sendWindow(message, TIMED);
    now = performance.now();
    windows++;
  }
  return throughput(message.length, windows * window, now - start);
}

/** @param {number} size */
async function runClient(size) {
  const message = outgoing.subarray(0, size);
  const end = performance.now() + options.seconds * 500;
  do await sendWindow(message, CHECKED);
  while (performance.now() < end);
  const result = await (options.messages > 0 ? sendMessages(message) : sendForSeconds(message));
  await sendWindow(message, LAST);
  return result;
}

/** @type {Promise<Completion>[]} */
let receives = [];

function receiveWindow() {
  receives = Array.from({ length: window }, () => endpoint.recv(incoming));
}

/** @param {number} size */
async function runServer(size) {
  let messages = 0;
  let watchedFrom = 0;
  let memoryCost;
  let purpose;
  do {
    for (const { length } of await Promise.all(receives)) {
      if (length !== size) throw new Error(`${length} bytes arrived where ${size} were due`);
      messages++;
    }
    // Nothing can arrive before the window is acknowledged: the buffer is quiet.
    purpose = incoming[0];
    if (purpose !== TIMED) checkPattern(incoming.subarray(0, size), expected);
    if (options.messages > 0 && memoryCost === undefined && messages >= UNWATCHED) {
      watchedFrom = messages;
      memoryCost = watchMemory();
    }
    receiveWindow();
    await endpoint.send(acknowledgement, peer);
  } while (purpose !== LAST);
  return memoryCost?.(messages - watchedFrom);
}

if (!options.isClient) receiveWindow();
const peer = await meet(endpoint, options);
const phases = [];
for (const size of options.sizes) phases.push(await (options.isClient ? runClient : runServer)(size));
await part();
// The server's last receives have nothing to wait for.
for (const receive of receives) receive.catch(() => undefined);
closeEndpoint(endpoint);
report({ phases });

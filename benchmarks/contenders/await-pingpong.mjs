/** Ping-pong through the promise door, as a program would write it. */
import { closeEndpoint, meet, openEndpoint } from './fabric.mjs';
import { part, report } from './lines.mjs';
import { readOptions } from './options.mjs';
import { CHECKED, checkPattern, fillPattern, LAST, TIMED } from './pattern.mjs';
import { roundTrips, samples } from './samples.mjs';

const options = readOptions();
const endpoint = openEndpoint(options, 'auto');
const outgoing = Buffer.alloc(options.largest);
const incoming = Buffer.alloc(options.largest);
const expected = Buffer.alloc(options.largest);
fillPattern(outgoing, options.isClient);
fillPattern(expected, !options.isClient);

/**
 * @param {number} length
 * @param {number} size
 */
function checkLength(length, size) {
  if (length !== size) throw new Error(`${length} bytes arrived where ${size} were due`);
}

/** @param {Buffer} message */
async function roundTrip(message) {
  const answer = endpoint.recv(incoming);
  await endpoint.send(message, peer);
  const { length } = await answer;
  checkLength(length, message.length);
}

/**
 * @param {Buffer} message
 * @param {number} purpose
 */
async function checkedRoundTrip(message, purpose) {
  message[0] = purpose;
  await roundTrip(message);
  checkPattern(incoming.subarray(0, message.length), expected);
}

/** @param {number} size */
async function runClient(size) {
  const message = outgoing.subarray(0, size);
  let end = performance.now() + options.seconds * 500;
  do await checkedRoundTrip(message, CHECKED);
  while (performance.now() < end);

  const start = performance.now();
  let before = start;
  let count = 0;
  end = start + options.seconds * 1000;
  message[0] = TIMED;
  do {
    await roundTrip(message);
    const now = performance.now();
    samples[count++] = now - before;
    before = now;
  } while (before < end && count < samples.length);

  await checkedRoundTrip(message, LAST);
  return roundTrips(size, count, before - start);
}

let next = options.isClient ? undefined : endpoint.recv(incoming);

/** @param {number} size */
async function runServer(size) {
  const message = outgoing.subarray(0, size);
  let purpose;
  while (purpose !== LAST && next !== undefined) {
    const { length } = await next;
    checkLength(length, size);
    purpose = incoming[0];
    if (purpose !== TIMED) checkPattern(incoming.subarray(0, size), expected);
    next = endpoint.recv(incoming);
    await endpoint.send(message, peer);
  }
}

const peer = await meet(endpoint, options);
const phases = [];
for (const size of options.sizes) phases.push(await (options.isClient ? runClient : runServer)(size));
await part();
// The server's last receive has nothing to wait for.
next?.catch(() => undefined);
closeEndpoint(endpoint);
report({ phases });

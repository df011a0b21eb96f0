/**
 * Two threads of one process, a SharedArrayBuffer and Atomics: `--what wait` sleeps until the other thread notifies,
 * `--what spin` looks until it sees. Each message is copied in and out, as messages are.
 */
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { readOptions } from '../contenders/options.mjs';
import { CHECKED, checkPattern, fillPattern, LAST, TIMED } from '../contenders/pattern.mjs';
import { report } from '../contenders/lines.mjs';
import { roundTrips, samples } from '../contenders/samples.mjs';
import { throughput } from '../contenders/throughput.mjs';
import { pinThread } from './pin.mjs';

const FEWEST_WINDOWS = 3;
/** Apart, so that the two ends do not write to one line of the cache. */
const COUNTER_BYTES = 128;

const options = readOptions();
const slots = options.shape === 'window' ? options.window : 1;
/** @type {SharedArrayBuffer} */
const memory = isMainThread ? new SharedArrayBuffer(2 * COUNTER_BYTES + (slots + 1) * options.largest) : workerData;
/** How many messages the client has put in, and how many answers the server. */
const requestCount = new Int32Array(memory, 0, 1);
const answerCount = new Int32Array(memory, COUNTER_BYTES, 1);
const requests = Array.from(
  { length: slots },
  (_, slot) => new Uint8Array(memory, 2 * COUNTER_BYTES + slot * options.largest, options.largest),
);
const answers = new Uint8Array(memory, 2 * COUNTER_BYTES + slots * options.largest, options.largest);
const outgoing = Buffer.alloc(options.largest);
const incoming = Buffer.alloc(options.largest);
const expected = Buffer.alloc(options.largest);
fillPattern(outgoing, isMainThread);
fillPattern(expected, !isMainThread);

/** Waits until a counter has grown beyond what it was. @param {Int32Array} counter @param {number} seen */
function awaitMore(counter, seen) {
  if (options.what === 'spin') {
    while (Atomics.load(counter, 0) === seen) continue;
  } else {
    while (Atomics.load(counter, 0) === seen) Atomics.wait(counter, 0, seen);
  }
}

/** @param {Int32Array} counter */
function count(counter) {
  Atomics.add(counter, 0, 1);
  if (options.what !== 'spin') Atomics.notify(counter, 0);
}

let requested = 0;
let answered = 0;

/** A ping-pong has windows of one message, and answers of the same size. @param {number} size */
const answerBytes = (size) => (options.shape === 'window' ? 4 : size);

/**
 * Puts a window of messages in, and takes the answer out.
 *
 * @param {number} size
 * @param {number} purpose
 */
function exchange(size, purpose) {
  outgoing[0] = purpose;
  for (const slot of requests) {
    slot.set(outgoing.subarray(0, size));
    count(requestCount);
  }
  awaitMore(answerCount, answered++);
  incoming.set(answers.subarray(0, answerBytes(size)));
  if (purpose !== TIMED && options.shape !== 'window') checkPattern(incoming.subarray(0, size), expected);
}

/** @param {number} size */
function runClient(size) {
  let end = performance.now() + options.seconds * 500;
  do exchange(size, CHECKED);
  while (performance.now() < end);

  const start = performance.now();
  let before = start;
  let exchanges = 0;
  end = start + options.seconds * 1000;
  while ((before < end || exchanges < FEWEST_WINDOWS) && exchanges < samples.length) {
    exchange(size, TIMED);
    const now = performance.now();
    samples[exchanges++] = now - before;
    before = now;
  }
  exchange(size, LAST);
  if (options.shape === 'window') return throughput(size, exchanges * slots, before - start);
  return roundTrips(size, exchanges, before - start);
}

/** @param {number} size */
function runServer(size) {
  let purpose;
  do {
    for (const slot of requests) {
      awaitMore(requestCount, requested++);
      incoming.set(slot.subarray(0, size));
    }
    purpose = incoming[0];
    if (purpose !== TIMED) checkPattern(incoming.subarray(0, size), expected);
    answers.set(outgoing.subarray(0, answerBytes(size)));
    count(answerCount);
    answered++;
  } while (purpose !== LAST);
}

pinThread(options.cores[isMainThread ? 0 : 1]);
if (isMainThread) {
  new Worker(new URL(import.meta.url), { workerData: memory, argv: process.argv.slice(2) });
  report({ phases: options.sizes.map(runClient) });
} else {
  options.sizes.forEach(runServer);
}

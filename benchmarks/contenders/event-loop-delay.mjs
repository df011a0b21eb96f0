/** How late the event loop is while a gigabyte a second flows through the promise door in mode auto. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { closeEndpoint, meet, openEndpoint } from './fabric.mjs';
import { hear, part, report, say } from './lines.mjs';
import { readOptions } from './options.mjs';
import { checkPattern, fillPattern } from './pattern.mjs';

const BYTES_PER_MILLISECOND = 1e6;
/** Messages in flight. */
const LANES = 16;

const options = readOptions();
const { largest: size } = options;
const endpoint = openEndpoint(options, 'auto');
const histogram = monitorEventLoopDelay({ resolution: 1 });
const pattern = Buffer.alloc(size);
fillPattern(pattern, true);
let messages = 0;

/** Sends at the pace that the time allows, until `end`. @param {number} start @param {number} end */
async function sendLane(start, end) {
  for (;;) {
    const due = start + (messages * size) / BYTES_PER_MILLISECOND;
    if (due >= end) return;
    messages++;
    if (due > performance.now()) await delay(due - performance.now());
    await endpoint.send(pattern, peer);
  }
}

/** Receives until the endpoint is closed. */
async function receiveLane() {
  const incoming = Buffer.alloc(size);
  for (;;) {
    const { length } = await endpoint.recv(incoming);
    if (length !== size) throw new Error(`${length} bytes arrived where ${size} were due`);
    if (messages++ % 100 === 0) checkPattern(incoming, pattern);
    arrived();
  }
}

let arrived = () => {
  // Until somebody waits for a number of messages.
};

/** @param {number} count */
async function messagesArrived(count) {
  if (messages === count) return;
  await new Promise((resolve) => {
    arrived = () => {
      if (messages === count) resolve(undefined);
    };
  });
}

/** @param {number} seconds */
async function send(seconds) {
  const start = performance.now();
  const before = messages;
  const end = start + seconds * 1000;
  await Promise.all(
    Array.from({ length: LANES }, () => sendLane(start - (before * size) / BYTES_PER_MILLISECOND, end)),
  );
  return ((messages - before) * size) / (performance.now() - start) / 1000;
}

/** @type {Promise<void>[]} */
const lanes = [];
if (!options.isClient) {
  for (let i = 0; i < LANES; i++) lanes.push(receiveLane());
}
const peer = await meet(endpoint, options);
let megabytesPerSecond;
if (options.isClient) {
  await send(options.seconds / 2);
  say('timed');
  histogram.enable();
  megabytesPerSecond = await send(options.seconds);
  say(String(messages));
} else {
  await hear();
  histogram.enable();
  await messagesArrived(Number(await hear()));
}
histogram.disable();
await part();
for (const lane of lanes) lane.catch(() => undefined);
closeEndpoint(endpoint);
const [p50, p99] = [50, 99].map((percentile) => histogram.percentile(percentile) / 1e6);
report({ phases: [{ size, p50, p99, max: histogram.max / 1e6, megabytesPerSecond }] });

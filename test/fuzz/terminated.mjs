// @ts-nocheck: see values.mjs
/**
 * Workers that make random calls of every kind (program.mjs), each terminated at a random point:
 * node terminated.mjs SEED ROUNDS PROVIDER. Prints how many file descriptors the process had early and late.
 */
import fc from 'fast-check';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const [seed, rounds, provider] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
process.on('warning', () => undefined);

const descriptors = () => readdirSync('/proc/self/fd').length;

async function round(number, milliseconds) {
  const worker = new Worker(new URL('program.mjs', import.meta.url), {
    argv: [String(seed + number), '1000', provider],
  });
  const failed = new Promise((_, reject) => worker.once('error', reject));
  // Node itself leaves files open when it is stopped in the middle of imports.
  await Promise.race([new Promise((resolve) => worker.once('message', resolve)), failed]);
  await Promise.race([delay(milliseconds), failed]);
  await worker.terminate();
}

const points = fc.sample(fc.integer({ min: 0, max: 1000 }), { seed, numRuns: rounds });
let early = 0;
for (const [number, milliseconds] of points.entries()) {
  await round(number, milliseconds);
  if (number === 2) early = descriptors();
}
console.log(JSON.stringify({ early, late: descriptors() }));

// @ts-nocheck: see values.mjs
/**
 * Random sequences of valid and invalid calls, made of what fast-check generates: node program.mjs SEED RUNS PROVIDER.
 *
 * Whatever is called with whatever, the process lives, each error is a typed one, every promise is settled in the end, and
 * nothing native is left. Run by fuzz.test.ts, with and without sanitizers. With FUZZ_TRACE=1 each call is written to
 * stderr before it is made.
 */
import fc from 'fast-check';
import { readdirSync, writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { checkError } from './errors.mjs';
import { openableBy } from './interfaces.mjs';
import { expectNothingLeft } from './left-over.mjs';
import { Sequence } from './sequence.mjs';

const [seed, runs, provider = 'shm'] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const infos = openableBy(provider);
// libfabric 1.17's shm never returns from a message of more than 4 KiB that is longer than the receive it meets.
const largest = provider === 'shm' ? 4096 : 100_000;
// Closing warns when a provider keeps something; that is its business.
process.on('warning', () => undefined);

const directory = new URL('actions/', import.meta.url);
const only = process.env['FUZZ_ONLY']?.split(',');
/** A name for each call, and the call, as often as its group has weight. */
const calls = [];
for (const file of readdirSync(directory).sort()) {
  const { actions, weight = 1, isPossible = () => true } = await import(new URL(file, directory).href);
  if (!isPossible(infos) || only?.includes(file) === false) continue;
  const named = actions.map((action, index) => ({ name: `${file} ${index}`, action }));
  for (let i = 0; i < weight; i++) calls.push(...named);
}

let count = 0;
let run = 0;

/** @param {Sequence} sequence */
async function call(sequence, [code, a, b, c]) {
  const { name, action } = calls[code % calls.length];
  if (process.env['FUZZ_TRACE']) writeSync(2, `${run} ${name} ${a} ${b} ${c}\n`);
  sequence.step = name;
  count++;
  try {
    const result = action(sequence, a, b, c);
    // Only turns of the event loop are waited for: other things may take a peer that does not come.
    if (result === sequence.turning) await result;
    else if (result instanceof Promise) sequence.track(result);
  } catch (error) {
    checkError(error);
  }
}

// terminated.mjs runs it in workers
parentPort?.postMessage('begins');

const number = fc.integer({ min: 0, max: 1_000_000 });
await fc.assert(
  fc.asyncProperty(
    fc.array(fc.tuple(number, number, number, number), { minLength: 200, maxLength: 600 }),
    async (list) => {
      run++;
      const sequence = new Sequence(infos, largest);
      for (const step of list) await call(sequence, step);
      await sequence.end(list.length);
      await expectNothingLeft();
    },
  ),
  { seed, numRuns: runs, endOnFailure: true },
);
console.log(`${count} calls`);

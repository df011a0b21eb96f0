// @ts-nocheck: see values.mjs
/** Nothing native outlives what was closed. */
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { binding } from '../../dist/binding.js';

const TURNS = 500;

/** What is still open, by kind. Buffers are the garbage collector's. */
export function leftOver() {
  const counts = Object.entries(binding.objectCounts()).filter(([kind, count]) => kind !== 'memories' && count > 0);
  return Object.fromEntries(counts);
}

/** Collects garbage until nothing is left. @throws when something stays. */
export async function expectNothingLeft() {
  // What watches a queue goes a turn later.
  await nextTurn();
  for (let turn = 0; turn < TURNS; turn++) {
    if (Object.keys(leftOver()).length === 0) return;
    globalThis.gc();
    await (turn < 10 ? nextTurn() : delay(2));
  }
  throw new Error(`still open: ${JSON.stringify(leftOver())}`);
}

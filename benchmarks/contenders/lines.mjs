/**
 * The two ends of a measurement meet through whoever started them: each line on stdout becomes a line on the other's
 * stdin. They swap addresses first, and "done" last; then each may say what it has measured.
 */
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';

const input = createInterface({ input: process.stdin });
const iterator = input[Symbol.asyncIterator]();

/** @param {string} line */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** The other end's next line. */
export async function hear() {
  const { done, value } = await iterator.next();
  if (done === true) throw new Error('the other end has gone');
  return value;
}

/**
 * Tells the other end that nothing is expected of it any more, and waits until it says the same.
 *
 * @param {() => void} [progress] called meanwhile: the other end may need our half of a transfer that is over for us
 */
export async function part(progress) {
  const state = { isOver: false };
  say('done');
  const heard = hear().then(() => {
    state.isOver = true;
  });
  while (progress !== undefined && !state.isOver) {
    progress();
    await nextTurn();
  }
  await heard;
}

/**
 * Says what was measured, and lets the process end.
 * @param {object} result
 */
export function report(result) {
  say(JSON.stringify(result));
  input.close();
  process.stdin.destroy();
}

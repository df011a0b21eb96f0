/** Windows of messages over a connection: the loop of ../contenders, driven by the messages that arrive. */
import { CHECKED, checkPattern, fillPattern, LAST, TIMED } from '../contenders/pattern.mjs';
import { throughput } from '../contenders/throughput.mjs';

/** @typedef {import('./connection.mjs').Connection} Connection */
/** @typedef {import('../contenders/options.mjs').Options} Options */

const ACKNOWLEDGEMENT_BYTES = 4;
/** Of each phase, however long they take. */
const FEWEST_WINDOWS = 3;

/**
 * @param {Connection} connection
 * @param {Options} options
 * @param {number} size
 */
export async function runClient(connection, { seconds, window }, size) {
  const message = Buffer.alloc(size);
  fillPattern(message, true);
  /** @type {() => void} */
  let acknowledged = () => {
    throw new Error('an acknowledgement of nothing');
  };
  connection.receive(ACKNOWLEDGEMENT_BYTES, () => {
    acknowledged();
  });

  /** @param {number} purpose */
  async function sendWindow(purpose) {
    message[0] = purpose;
    const acknowledgement = new Promise((/** @type {(value: void) => void} */ resolve) => {
      acknowledged = resolve;
    });
    for (let i = 0; i < window; i++) {
      const sent = connection.send(message);
      if (sent !== undefined) await sent;
    }
    await acknowledgement;
  }

  let end = performance.now() + seconds * 500;
  do await sendWindow(CHECKED);
  while (performance.now() < end);

  const start = performance.now();
  let now = start;
  let windows = 0;
  end = start + seconds * 1000;
  while (now < end || windows < FEWEST_WINDOWS) {
    await sendWindow(TIMED);
    now = performance.now();
    windows++;
  }
  await sendWindow(LAST);
  return throughput(size, windows * window, now - start);
}

/**
 * @param {Connection} connection
 * @param {Options} options
 * @param {number} size
 */
export function runServer(connection, { window }, size) {
  const acknowledgement = Buffer.alloc(ACKNOWLEDGEMENT_BYTES);
  const expected = Buffer.alloc(size);
  fillPattern(expected, true);
  return new Promise((resolve) => {
    let received = 0;
    connection.receive(size, (message) => {
      if (message.length !== size) throw new Error(`${message.length} bytes arrived where ${size} were due`);
      if (++received % window !== 0) return;
      const purpose = message[0];
      if (purpose !== TIMED) checkPattern(message, expected);
      if (purpose === LAST) resolve(undefined);
      void connection.send(acknowledgement);
    });
  });
}

/** Ping-pong over a connection: the loop of ../contenders, driven by the messages that arrive. */
import { CHECKED, checkPattern, fillPattern, LAST, TIMED } from '../contenders/pattern.mjs';
import { roundTrips, samples } from '../contenders/samples.mjs';

/** @typedef {import('./connection.mjs').Connection} Connection */
/** @typedef {import('../contenders/options.mjs').Options} Options */

/**
 * @param {Connection} connection
 * @param {Options} options
 * @param {number} size
 */
export function runClient(connection, { seconds }, size) {
  const message = Buffer.alloc(size);
  const expected = Buffer.alloc(size);
  fillPattern(message, true);
  fillPattern(expected, false);
  return new Promise((resolve) => {
    let purpose = CHECKED;
    let end = performance.now() + seconds * 500;
    let start = 0;
    let before = 0;
    let count = 0;
    function send() {
      message[0] = purpose;
      void connection.send(message);
    }
    connection.receive(size, (answer) => {
      const now = performance.now();
      if (purpose === TIMED) {
        samples[count++] = now - before;
        before = now;
        if (now >= end || count === samples.length) purpose = LAST;
      } else {
        checkPattern(answer, expected);
        if (purpose === LAST) {
          resolve(roundTrips(size, count, before - start));
          return;
        }
        if (now >= end) {
          purpose = TIMED;
          start = before = performance.now();
          end = start + seconds * 1000;
        }
      }
      send();
    });
    send();
  });
}

/**
 * @param {Connection} connection
 * @param {Options} _options
 * @param {number} size
 */
export function runServer(connection, _options, size) {
  const message = Buffer.alloc(size);
  const expected = Buffer.alloc(size);
  fillPattern(message, false);
  fillPattern(expected, true);
  return new Promise((resolve) => {
    connection.receive(size, (request) => {
      const purpose = request[0];
      if (purpose !== TIMED) checkPattern(request, expected);
      if (purpose === LAST) resolve(undefined);
      void connection.send(message);
    });
  });
}

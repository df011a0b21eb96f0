/** What messages hold: each end sends a pattern of its own, but for the first byte, which says what the message is for. */

/** Prime, so that a message shifted by any power of two differs. */
const PERIOD = 251;

/** The first byte of a message: nothing to do but answer. */
export const TIMED = 0;
/** Of the warm-up: compared byte by byte. */
export const CHECKED = 1;
/** Of its phase: compared as well. */
export const LAST = 2;

/**
 * @param {Uint8Array} buffer
 * @param {boolean} isClient whose pattern
 */
export function fillPattern(buffer, isClient) {
  for (let i = 0; i < buffer.length; i++) buffer[i] = (i % PERIOD) + (isClient ? 1 : 5);
}

/**
 * Compares what has arrived with what the other end sends, and clears it, so that the next message has to write it again.
 *
 * @param {Buffer} arrived
 * @param {Uint8Array} expected
 */
export function checkPattern(arrived, expected) {
  const { length } = arrived;
  if (arrived.compare(expected, 1, length, 1, length) !== 0) {
    throw new Error(`wrong data in a message of ${length} bytes`);
  }
  arrived.fill(0xff);
}

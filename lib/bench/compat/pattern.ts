const ALPHABET = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 'latin1');
const STEP = 7;

/** What C's fi_pingpong -c sends as its message number `index`, counted over all sizes: this many bytes of it. */
export function fillClassic(buffer: Buffer, index: number): void {
  const start = (index * STEP) % ALPHABET.length;
  buffer.fill(Buffer.concat([ALPHABET.subarray(start), ALPHABET.subarray(0, start)]));
}

/** The first byte that is not as {@link fillClassic} makes it; -1 when all are. */
export function findWrongByte(buffer: Buffer, index: number): number {
  const expected = Buffer.alloc(buffer.length);
  fillClassic(expected, index);
  if (buffer.equals(expected)) return -1;
  return buffer.findIndex((byte, offset) => byte !== expected[offset]);
}

const ALPHABET = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 'latin1');
const STEP = 7;

/** What C's fi_pingpong -c sends as its message number `index`, counted over all sizes: this many bytes of it. */
export function fillClassic(buffer: Buffer, index: number): void {
  const start = (index * STEP) % ALPHABET.length;
  buffer.fill(Buffer.concat([ALPHABET.subarray(start), ALPHABET.subarray(0, start)]));
}

/** Payloads that tell a byte in the wrong place. */
import { expect } from 'vitest';

/** `length` bytes that depend on their position and on `seed`. */
export function pattern(length: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  let word = (seed * 2654435761) >>> 0;
  for (let i = 0; i < words.length; i++) {
    words[i] = word;
    word = (word + 0x9e3779b9) >>> 0;
  }
  return Buffer.from(words.buffer, 0, length);
}

/** Equality without the megabytes of text that a matcher would print. */
export function expectSame(received: Uint8Array, sent: Uint8Array): void {
  expect(received.byteLength).toBe(sent.byteLength);
  if (Buffer.compare(received, sent) === 0) return;
  const first = received.findIndex((byte, index) => byte !== sent[index]);
  expect.fail(`byte ${first} of ${sent.byteLength} is ${received[first]!}, not ${sent[first]!}`);
}

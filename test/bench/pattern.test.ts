import { describe, expect, it } from 'vitest';
import { checkPattern, fillPattern } from '../../lib/bench/pattern.js';

describe('checkPattern', () => {
  const sizes = [1, 64, 251, 64_255, 64_256, 64_257, 1_048_576];

  it.each(sizes)('takes %i bytes as they were filled', (size) => {
    const buffer = Buffer.alloc(size);
    fillPattern(buffer, 'client');
    expect(() => {
      checkPattern(buffer, 'client', 'a test');
    }).not.toThrow();
  });

  it.each(sizes)('names the first of %i bytes that differs', (size) => {
    const buffer = Buffer.alloc(size);
    fillPattern(buffer, 'server');
    const wrong = Math.floor(size / 2);
    buffer[wrong]! ^= 1;
    expect(() => {
      checkPattern(buffer, 'server', 'a test');
    }).toThrow(
      expect.objectContaining({
        code: 'INTEGRITY',
        message: expect.stringContaining(`wrong data in a test: byte ${wrong} of ${size} is`) as string,
      }),
    );
  });

  it('tells the ends apart, and a shifted message', () => {
    const buffer = Buffer.alloc(128);
    fillPattern(buffer, 'client');
    expect(() => {
      checkPattern(buffer, 'server', 'a test');
    }).toThrow(/wrong data/);
    expect(() => {
      checkPattern(buffer.subarray(64), 'client', 'a test');
    }).toThrow(/wrong data/);
  });
});

import { describe, expect, it } from 'vitest';
import { Child, isSanitized } from '../helpers/child.js';

// Under sanitizers, which is where it counts, the two providers together see at least 200,000 calls.
const runs = isSanitized ? 1400 : 150;
const calls = isSanitized ? 100_000 : 10_000;
const seed = process.env['FUZZ_SEED'] ?? '20260101';

describe('any sequence of calls, valid or not', () => {
  it.each(['shm', 'net'])(
    'leaves the process alive over %s, with typed errors and settled promises',
    async (provider) => {
      const args = ['--expose-gc', 'test/fuzz/program.mjs', seed, String(runs), provider];
      await using child = new Child(`fuzz ${provider}`, process.execPath, args, {});
      const { code, signal, stdout, stderr } = await child.ended(280_000);
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
      expect(Number.parseInt(stdout)).toBeGreaterThan(calls);
    },
    300_000,
  );
});

import { describe, expect, it } from 'vitest';
import { Child, isSanitized } from '../helpers/child.js';
import { availableProviders } from '../helpers/providers.js';

const SEED = process.env['FUZZ_SEED'] ?? '20260101';
/** Sequences by provider, each of about 290 calls: more than 200,000 with sanitizers. */
const SEQUENCES = [
  ['shm', 200],
  ['net', 300],
  ['sockets', 150],
  ['tcp;ofi_rxm', 110],
] as const;
const LEAST_CALLS_OF_SEQUENCE = 270;

describe('any sequence of calls, valid or not', () => {
  for (const [provider, sanitized] of SEQUENCES) {
    const sequences = isSanitized ? sanitized : 20;
    it.skipIf(!availableProviders.includes(provider))(
      `leaves the process alive over ${provider}, with typed errors, settled promises and nothing native`,
      async () => {
        // that a provider keeps something busy is its business
        const args = ['--no-warnings', '--expose-gc', 'test/fuzz/program.mjs', SEED, String(sequences), provider];
        await using child = new Child(`fuzz ${provider}`, process.execPath, args, {});
        const { code, signal, stdout, stderr } = await child.ended(280_000);
        expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
        expect(Number.parseInt(stdout)).toBeGreaterThan(sequences * LEAST_CALLS_OF_SEQUENCE);
      },
      300_000,
    );

    it.skipIf(!availableProviders.includes(provider))(
      `leaves nothing open over ${provider} when the workers that make it are terminated at any point`,
      async () => {
        const args = ['--no-warnings', '--expose-gc', 'test/fuzz/terminated.mjs', SEED, '10', provider];
        await using child = new Child(`terminated ${provider}`, process.execPath, args, {});
        const { code, signal, stdout, stderr } = await child.ended(110_000);
        // a worker that has opened the log and is terminated leaves what libfabric says meanwhile to stderr
        const ours = stderr.replace(/^libfabric:\d+:.*\n/gm, '');
        expect({ code, signal, stderr: ours }).toEqual({ code: 0, signal: null, stderr: '' });
        const { early, late } = JSON.parse(stdout) as { early: number; late: number };
        // less than one for each of the seven workers between; threads of providers may still be ending
        expect(late - early).toBeLessThan(5);
      },
      120_000,
    );
  }
});

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../scripts/check-surface.mjs', import.meta.url));

describe('the surface', () => {
  it('agrees with the headers and with docs/surface.md', () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^exposed \d+ of 1[56]\d\n$/);
  });
});

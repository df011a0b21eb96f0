/** FI_PROVIDER as this machine's libfabric reads it: fi_info is asked for every value. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowsProvider } from 'node-libfabric/doctor';

function listed(value?: string): string[] {
  const { stdout, error } = spawnSync('fi_info', [], {
    env: { ...process.env, FI_PROVIDER: value },
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (error !== undefined) throw error;
  return [...new Set([...stdout.matchAll(/^provider: (\S+)$/gm)].map((match) => match[1]!))].sort();
}

const hasProgram = spawnSync('fi_info', ['--version']).error === undefined;

describe.skipIf(!hasProgram)(hasProgram ? 'FI_PROVIDER' : 'FI_PROVIDER (fi_info is not installed)', () => {
  const names = [
    'tcp',
    'TCP',
    'udp',
    'shm',
    'sockets',
    'efa',
    'net',
    'ofi_rxm',
    'ofi_rxd',
    'tcp;ofi_rxm',
    'udp;ofi_rxd',
    'nosuch',
    '',
  ];
  const name = fc.tuple(fc.constantFrom('', '', '', ' '), fc.constantFrom(...names), fc.constantFrom('', '', '', ' '));
  const value = fc
    .tuple(fc.constantFrom('', '', '^', '^^'), fc.array(name, { minLength: 0, maxLength: 3 }))
    .map(([caret, list]) => caret + list.map((parts) => parts.join('')).join(','));

  it('means to libfabric what it means here', { timeout: 120_000 }, () => {
    const everything = listed();
    expect(everything).toContain('tcp;ofi_rxm');
    fc.assert(
      fc.property(value, (given) => {
        const expected = everything.filter((provider) => allowsProvider(given, provider));
        expect(listed(given), JSON.stringify(given)).toEqual(expected);
      }),
      { numRuns: 120, examples: [[''], ['tcp '], ['^'], ['tcp,'], ['^tcp,shm'], ['shm;tcp'], ['ofi_rxm']] },
    );
  });

  it.each([
    [undefined, true],
    ['efa', true],
    ['EFA', true],
    ['tcp,efa', true],
    ['^tcp', true],
    ['', false],
    ['efa ', false],
    ['tcp', false],
    ['^efa', false],
    ['^tcp,efa', false],
  ])('%j: efa %s', (given, isAllowed) => {
    expect(allowsProvider(given, 'efa')).toBe(isAllowed);
  });
});

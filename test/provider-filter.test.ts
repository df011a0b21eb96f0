/** FI_PROVIDER as libfabric reads it: fi_info is asked for every value, that of this machine and 2.1 of Debian 13. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowsProvider } from 'node-libfabric/doctor';
import { unknownProviders } from '../lib/provider-filter.js';
import { Child } from './helpers/child.js';
import { debian13Obstacle, startInDebian13 } from './helpers/debian-13.js';

/** Reads values, a line each; libfabric reads the variable once a process. */
const ASK_EACH = `while IFS= read -r value; do
  printf '= %s\\n' "$value"; FI_PROVIDER=$value fi_info 2>/dev/null | sed -n 's/^provider: //p' | sort -u
done; echo '= all'; unset FI_PROVIDER; fi_info | sed -n 's/^provider: //p' | sort -u`;

const hasProgram = spawnSync('fi_info', ['--version']).error === undefined;

describe('FI_PROVIDER', () => {
  const names = [
    ...['tcp', 'TCP', 'udp', 'shm', 'sockets', 'efa', 'net', 'ofi_rxm', 'ofi_rxd', 'tcp;ofi_rxm', 'udp;ofi_rxd'],
    ...['nosuch', ''],
  ];
  const name = fc.tuple(fc.constantFrom('', '', '', ' '), fc.constantFrom(...names), fc.constantFrom('', '', '', ' '));
  const value = fc
    .tuple(fc.constantFrom('', '', '^', '^^'), fc.array(name, { minLength: 0, maxLength: 3 }))
    .map(([caret, list]) => caret + list.map((parts) => parts.join('')).join(','));

  const libfabrics = [
    {
      version: '1.17, or what this machine has',
      obstacle: hasProgram ? undefined : 'fi_info is not installed',
      start: () => new Child('fi_info', 'sh', ['-c', ASK_EACH], {}),
    },
    { version: '2.1', obstacle: debian13Obstacle(), start: () => startInDebian13(['sh', '-c', ASK_EACH]) },
  ];
  for (const { version, obstacle, start } of libfabrics) {
    const title = `means to libfabric ${version} what it means here`;
    const reason = obstacle === undefined ? '' : ` (skipped: ${obstacle})`;
    it.skipIf(obstacle !== undefined)(`${title}${reason}`, { timeout: 120_000 }, async () => {
      const values = ['', 'tcp ', '^', 'tcp,', '^tcp,shm', 'shm;tcp', 'ofi_rxm', ...fc.sample(value, 40)];
      await using child = start();
      child.process.stdin.end(values.map((given) => `${given}\n`).join(''));
      const { stdout } = await child.ended(110_000);
      const [, ...answers] = stdout.split(/^= .*\n/m).map((lines) => lines.split('\n').filter(Boolean));
      const everything = answers.at(-1)!;
      expect(answers).toHaveLength(values.length + 1);
      expect(everything).toContain('tcp;ofi_rxm');
      for (const [index, given] of values.entries()) {
        const expected = everything.filter((provider) => allowsProvider(given, provider));
        expect(answers[index]!.sort(), JSON.stringify(given)).toEqual(expected.sort());
      }
    });
  }

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

  it('has names that no provider is called', () => {
    expect(unknownProviders('^EFA,tcp;ofi_rxm,')).toEqual([]);
    expect(unknownProviders('efa, shm,nosuch')).toEqual([' shm', 'nosuch']);
  });
});

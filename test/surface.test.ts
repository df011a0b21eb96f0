import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../scripts/check-surface.mjs', import.meta.url));
const page = readFileSync(new URL('../docs/surface.md', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'surface-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What the script says of a page. */
function check(text: string): { status: number | null; stdout: string; problems: string[] } {
  const path = join(folder, 'page.md');
  writeFileSync(path, text);
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, '--page', path], { encoding: 'utf8' });
  return { status, stdout, problems: stderr.trimEnd().split('\n') };
}

/** The page with another row for a function. */
function withRow(name: string, cells: string): string {
  const changed = page.replace(new RegExp(`^\\| \`${name}\` .*$`, 'm'), `| \`${name}\` | ${cells} |`);
  expect(changed).not.toBe(page);
  return changed;
}

describe('the surface', () => {
  it('agrees with the headers, the native functions and the public names', () => {
    const { status, stdout, problems } = check(page);
    expect({ status, problems }).toEqual({ status: 0, problems: [''] });
    const counts = /^exposed (\d+) of (\d+): (\d+) called, (\d+) covered .*; newer than 1\.17: \d+ of 15\n$/.exec(
      stdout,
    );
    const [exposed, all, called, covered] = counts!.slice(1).map(Number);
    expect(called! + covered!).toBe(exposed);
    expect(exposed).toBeLessThanOrEqual(all!);
    expect(page).toContain(stdout.trimEnd());
  });

  it.each([
    [
      'a name that is not public any more',
      'fi_tsendv',
      '`Endpoint.sendMany` | through fi_tsendmsg',
      /Endpoint\.sendMany/,
    ],
    [
      'a way that nothing calls',
      'fi_tsendv',
      '`Endpoint.tsend` | through fi_nothing',
      /through fi_nothing, which nothing/,
    ],
    ['a name without how', 'fi_tsendv', '`Endpoint.tsend` |', /say how fi_tsendv is covered/],
    ['neither name nor reason', 'fi_endpoint2', '|', /say how fi_endpoint2 is covered, or why/],
    ['another name for what is called', 'fi_send', '`Endpoint.recv` |', /out of date/],
  ])('is refused with %s', (_what, name, cells, problem) => {
    const { status, problems } = check(withRow(name, cells));
    expect(status).toBe(1);
    expect(problems.some((line) => problem.test(line))).toBe(true);
  });

  it('is refused with a function that no header has', () => {
    const { status, problems } = check(page.replace('| `fi_sendv`', '| `fi_nothing` | | gone |\n| `fi_sendv`'));
    expect(status).toBe(1);
    expect(problems).toContain('docs/surface.md: no header has fi_nothing');
  });
});

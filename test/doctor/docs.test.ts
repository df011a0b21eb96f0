/** What the guide says of checks is what there is. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHECKS, LAYERS, type Layer } from 'node-libfabric/doctor';

describe('docs/fabric-doctor.md', () => {
  const guide = readFileSync(new URL('../../docs/fabric-doctor.md', import.meta.url), 'utf8');

  it.each(CHECKS.map(({ id, fix }) => [id, [...fix.host, ...(fix.container ?? [])]] as const))(
    'advises in whole sentences: %s',
    (_id, lines) => {
      for (const line of lines) {
        expect(line).not.toMatch(/(,|;|:|\b(or|and|then))$/);
        expect(line).not.toMatch(/^[a-z]+ .*;/);
      }
    },
  );

  it('has references that fit into a line of a report', () => {
    expect(CHECKS.flatMap(({ references }) => references).filter((reference) => reference.length > 70)).toEqual([]);
  });

  it('has every check', () => {
    const rows = guide.split('\n').filter((line) => /^\| [A-Z]+-\d\d /.test(line));
    const told = rows.map((row) =>
      row
        .split('|')
        .slice(1, 4)
        .map((cell) => cell.trim()),
    );
    const layers = Object.keys(LAYERS) as Layer[];
    const sorted = [...CHECKS].sort((a, b) => layers.indexOf(a.layer) - layers.indexOf(b.layer));
    expect(told).toEqual(sorted.map(({ id, title, layer }) => [id, LAYERS[layer], title]));
  });
});

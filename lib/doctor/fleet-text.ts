/** Nodes of a cluster beside each other, for a terminal. */
import { FLEET_COLUMNS, type Fleet } from './fleet.js';
import { WIDTH, wrap } from './text.js';

const GAP = 2;
/** Two such columns fit beside each other. A longer cell goes on below itself. */
const WIDEST = (WIDTH - GAP) / 2;

/** What `merge` prints: the verdicts, what differs, and who is alone with what. */
export function formatFleet({ reports, differences }: Fleet): string {
  const shown = FLEET_COLUMNS.filter(
    ({ title }, index) => index < 2 || differences.some((difference) => difference.title === title),
  );
  const rows = [
    ['node', ...shown.map(({ title }) => title)],
    ...reports.map((report) => [report.node, ...shown.map(({ of }) => of(report))]),
  ];
  const told = differences.flatMap(({ title, usual, others }) => [
    ...wrap('', `${title}: most have ${usual}; not`),
    ...others.flatMap(({ node, value }) => wrap('  ', `${node}: ${value}`)),
  ]);
  return `${[...formatTable(rows), '', ...(told.length === 0 ? ['All are alike.'] : told)].join('\n')}\n`;
}

/** Columns that do not fit into a line are a table of their own, with the first one again. */
function formatTable(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.min(WIDEST, Math.max(...rows.map((row) => row[column]!.length))));
  const tables: number[][] = [];
  let used = WIDTH;
  for (const [column, width] of [...widths.entries()].slice(1)) {
    if (used + GAP + width > WIDTH) {
      tables.push([0]);
      used = widths[0]!;
    }
    tables.at(-1)!.push(column);
    used += GAP + width;
  }
  return tables.flatMap((columns, index) => [
    ...(index > 0 ? [''] : []),
    ...rows.flatMap((row) =>
      formatRow(
        columns.map((column) => row[column]!),
        columns.map((column) => widths[column]!),
      ),
    ),
  ]);
}

function formatRow(cells: readonly string[], widths: readonly number[]): string[] {
  const parts = cells.map((cell) => cell.match(new RegExp(`.{1,${WIDEST}}`, 'g')) ?? []);
  const height = Math.max(...parts.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    parts
      .map((part, column) => (part[line] ?? '').padEnd(widths[column]!))
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

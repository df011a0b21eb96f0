import { checkEnvironment, type EnvironmentProblem, type Info, type ProviderParameter } from '../index.js';
import type { Difference, Inventory, InventoryInterface } from '../inventory/index.js';
import { wrap } from './table.js';

/** The listing for people: one line for interfaces that look the same, then their devices, then what is not there. */
export function formatInventory({ host, libfabric, interfaces, notListed }: Inventory, why: boolean): string {
  const lines = [`${host}, libfabric ${libfabric.version} (${libfabric.path})`, ''];
  if (interfaces.length === 0) lines.push('nothing fits; the reasons:', '');
  else lines.push(...formatRows([HEAD, ...countSame(interfaces.map(rowOf))]), '', ...formatDevices(interfaces));
  if (why) {
    if (interfaces.length > 0) lines.push('not listed:');
    for (const { provider, reason } of notListed) lines.push(...wrap(`  ${provider.padEnd(14)}`, reason));
  } else {
    const names = [...new Set(notListed.map(({ provider }) => provider))].join(', ');
    lines.push(...wrap('not listed: ', `${names} (--why says why)`));
  }
  lines.push(...problemLines(checkEnvironment()));
  return `${lines.join('\n')}\n`;
}

const HEAD = ['provider', 'type', 'protocol', 'domain', 'fabric', ''];

/** Rows of a provider that offers the same with several sets of attributes are one, where the first of them is. */
function countSame(rows: readonly string[][]): string[][] {
  const counts = new Map<string, { row: string[]; count: number }>();
  for (const row of rows) {
    const entry = counts.get(row.join('\0')) ?? { row, count: 0 };
    entry.count++;
    counts.set(row.join('\0'), entry);
  }
  return [...counts.values()].map(({ row, count }) => [...row, count > 1 ? `×${count}` : '']);
}

function rowOf({ fabricAttr, epAttr, domainAttr }: Info): string[] {
  return [
    fabricAttr.provName ?? '',
    String(epAttr.type).replace('FI_EP_', ''),
    String(epAttr.protocol).replace('FI_PROTO_', ''),
    domainAttr.name ?? '',
    fabricAttr.name ?? '',
  ];
}

function formatRows(rows: readonly string[][]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

function formatDevices(interfaces: readonly InventoryInterface[]): string[] {
  const lines = new Set<string>();
  for (const { device } of interfaces) {
    if (device === undefined) continue;
    const { name, pci, numa, driver, speed, mtu, state } = device;
    const facts = [
      driver,
      pci === undefined ? undefined : `PCI ${pci}`,
      numa === undefined ? undefined : `NUMA node ${numa}`,
      speed === undefined ? undefined : `${speed / 1e9} Gb/s`,
      mtu === undefined ? undefined : `MTU ${mtu}`,
      state,
    ].filter((fact) => fact !== undefined);
    lines.add(`device ${name ?? '?'}: ${facts.join(', ')}`);
  }
  return lines.size > 0 ? [...lines, ''] : [];
}

/** The variables that libfabric reads, those that are set first, and those that have no effect. */
export function formatVariables(variables: readonly ProviderParameter[]): string {
  const line = ({ name, type, help, value, file }: ProviderParameter): string[] => [
    `${name}${value === undefined ? '' : `=${value}`} (${file === undefined ? type : `${type}, in ${file}`})`,
    ...wrap('    ', help.trim()),
  ];
  const isSet = (variable: ProviderParameter): boolean => variable.value !== undefined;
  const set = variables.filter(isSet).flatMap(line);
  const unset = variables.filter((variable) => !isSet(variable)).flatMap(line);
  return `${['set:', ...(set.length > 0 ? set : ['    none of these']), ...problemLines(checkEnvironment()), '', 'not set:', ...unset].join('\n')}\n`;
}

/** The same for programs. */
export function variablesAsJson(variables: readonly ProviderParameter[]): object {
  return { variables, problems: checkEnvironment() };
}

function problemLines(problems: readonly EnvironmentProblem[]): string[] {
  return problems.flatMap(({ message }) => wrap('! ', message));
}

export function formatDifferences(differences: readonly Difference[], here: Inventory, there: Inventory): string {
  if (differences.length === 0) return `${here.host} and ${there.host} have the same\n`;
  const lines = differences.flatMap(({ what, here: ours, there: theirs }) => [
    what,
    ...wrap(`    ${here.host}: `, ours ?? '-'),
    ...wrap(`    ${there.host}: `, theirs ?? '-'),
  ]);
  return `${lines.join('\n')}\n`;
}

/** Nodes of a cluster beside each other: where they differ. */
import { readFileSync } from 'node:fs';
import { systemErrorText } from '../system-error.js';
import { reportSchema, type Report } from './report.js';

/** A property by which nodes are compared. */
export interface FleetColumn {
  readonly title: string;
  /** Its value of a node. */
  readonly of: (report: Report) => string;
}

const or = (value: string | null | undefined): string => value ?? '-';

/** By what nodes are compared, the verdict first. */
export const FLEET_COLUMNS: readonly FleetColumn[] = [
  { title: 'verdict', of: ({ verdict }) => verdict },
  { title: 'first failure', of: ({ firstFailure }) => or(firstFailure) },
  { title: 'type', of: ({ host }) => or(host.instanceType) },
  { title: 'devices', of: ({ devices }) => String(devices.length) },
  { title: 'driver', of: ({ software }) => or(software.driver) },
  { title: 'libfabric', of: ({ software }) => or(software.libfabric?.version) },
  { title: 'rdma-core', of: ({ software }) => or(software.rdmaCore) },
  { title: 'plugin', of: ({ software }) => or(software.plugin?.version) },
  { title: 'installer', of: ({ software }) => or(software.installer) },
  { title: 'kernel', of: ({ host }) => or(host.kernel) },
  { title: 'memlock', of: ({ limits }) => String(limits.lockedMemory ?? '-') },
];

/** A property in which nodes differ: the value of most, and who has another. */
export interface Difference {
  readonly title: string;
  readonly usual: string;
  readonly others: readonly { readonly node: string; readonly value: string }[];
}

/** What `merge` finds. */
export interface Fleet {
  readonly reports: readonly Report[];
  readonly differences: readonly Difference[];
  /** The worst of the nodes; those to which EFA does not apply do not count unless all are such. */
  readonly exitCode: number;
}

/** Reads what `--json` wrote. @throws Error that names the file and what is wrong with it. */
export function readReport(file: string): Report {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${systemErrorText(error)}`, { cause: error });
  }
  const parsed = reportSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${file}: not a report of fabric-doctor: ${issue!.path.join('.')}: ${issue!.message}`);
}

/** Compares nodes. */
export function compareNodes(reports: readonly Report[]): Fleet {
  const differences = FLEET_COLUMNS.map(({ title, of }) => {
    const values = reports.map(of);
    const frequency = (value: string): number => values.filter((other) => other === value).length;
    const usual = [...values].sort((a, b) => frequency(b) - frequency(a))[0] ?? '-';
    const others = reports
      .filter((report) => of(report) !== usual)
      .map((report) => ({ node: report.node, value: of(report) }));
    return { title, usual, others };
  }).filter(({ others }) => others.length > 0);
  const applicable = reports.filter(({ verdict }) => verdict !== 'not-applicable');
  const exitCode = applicable.length === 0 ? 3 : Math.max(...applicable.map((report) => report.exitCode));
  return { reports, differences, exitCode };
}

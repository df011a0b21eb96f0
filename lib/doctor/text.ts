/** Reports for people: 80 columns, verdict first; colour only repeats what words say. */
import { LAYERS, type Check, type Layer } from './check.js';
import type { Report } from './report.js';
import { installationRows, installationTitle, machineRow, transportRows } from './rows.js';

/** Columns of a terminal. */
export const WIDTH = 80;
/** Where the names of machines, transports and parts end. */
const NAMES = 14;
/** What a first look has room for. */
const SHOWN_EVIDENCE = 4;

type ReportedCheck = Report['checks'][number];

const COLOURS = { fail: 31, warn: 33, pass: 32, info: 36, skip: 90, bold: 1 } as const;
const TONES = {
  usable: 'pass',
  degraded: 'warn',
  fallback: 'fail',
  unusable: 'fail',
  'not-applicable': 'info',
} as const satisfies Record<Report['verdict'], keyof typeof COLOURS>;

/** What a container was given, in the order in which it is looked for. */
const OF_CONTAINERS = [
  ...['HOST-02', 'HOST-04', 'DEV-01', 'DEV-02', 'DEV-03', 'LIM-01', 'LIM-03', 'LIM-05', 'VERBS-01', 'VERBS-02'],
  ...['VERBS-03', 'LF-01', 'LF-02', 'LF-03', 'LF-04', 'NCCL-01', 'NCCL-02', 'CNT-01'],
];

/** Words with colour, or without. */
export type Paint = (style: keyof typeof COLOURS, text: string) => string;
/** ANSI colours, or the text as it is. */
export const paintWith = (hasColour: boolean): Paint =>
  hasColour ? (style, text) => `\u001b[${COLOURS[style]}m${text}\u001b[0m` : (_style, text) => text;

/** What of a report is shown: `container` is that of `--check-container`. */
export type Extent = 'faults' | 'all' | 'container';

/** The report. */
export function formatReport(report: Report, extent: Extent = 'faults', paint: Paint = paintWith(false)): string {
  const { verdict, summary, firstFailure, checks } = report;
  const first = checks.find(({ id }) => id === firstFailure);
  const lines = [
    paint(TONES[verdict], `EFA: ${verdict.toUpperCase().replace('-', ' ')}`),
    ...wrap('  ', summary),
    '',
    ...(first === undefined ? [] : [...formatFirst(first, paint), '']),
    ...formatLog(report),
    ...wrap('Machine'.padEnd(NAMES), machineRow(report)),
    '',
    'Transports',
    ...formatTransports(report),
    '',
    installationTitle(report),
    ...installationRows(report).flatMap(({ name, text }) => wrap(`  ${name}`.padEnd(NAMES), text)),
    '',
    ...formatOthers(report, extent, paint),
  ];
  return `${lines.join('\n')}\n`;
}

function formatFirst({ id, title, message, evidence, fix, references }: ReportedCheck, paint: Paint): string[] {
  return [
    paint('bold', `First failing step: ${id} ${title}`),
    ...wrap('  ', message),
    ...evidence.slice(0, SHOWN_EVIDENCE).flatMap(({ source, value }) => wrap('    seen  ', `${source}: ${value}`)),
    ...(evidence.length > SHOWN_EVIDENCE ? [`          and ${evidence.length - SHOWN_EVIDENCE} more (--verbose)`] : []),
    ...fix.flatMap((line) => formatFix(line)),
    ...references.slice(0, 2).map((reference) => `    see   ${reference}`),
  ];
}

/** A command after a colon stays in one piece where it fits into a line. */
function formatFix(line: string): string[] {
  const head = '    fix   ';
  const at = line.lastIndexOf(': ') + 1;
  const command = line.slice(at).trimStart();
  const isTooLong = head.length + line.length > WIDTH;
  if (at === 0 || !isTooLong || head.length + command.length > WIDTH) return wrap(head, line);
  return [...wrap(head, line.slice(0, at)), `${' '.repeat(head.length)}${command}`];
}

function formatLog({ log }: Report): string[] {
  if (log === null) return [];
  const { name, faults } = log;
  if (faults.length === 0) return [...wrap('', `Log ${name}: no known fault.`), ''];
  return [
    ...wrap('', `Log ${name}: ${faults.length === 1 ? 'one known fault' : `${faults.length} known faults`}`),
    ...faults.flatMap(({ id, line, text, meaning, fix }) => [
      ...wrap('  ', `${id}, line ${line}: ${meaning}`),
      ...wrap('    seen  ', text),
      ...fix.flatMap((advice) => formatFix(advice)),
    ]),
    '',
  ];
}

function formatTransports(report: Report): string[] {
  const { notAsked } = report;
  return [
    ...transportRows(report).flatMap(({ name, transport, why }) =>
      wrap(`  ${name}`.padEnd(NAMES), `${transport}, ${why}`),
    ),
    ...(notAsked === null ? [] : wrap('  ', `libfabric itself was not asked: ${notAsked}`)),
  ];
}

/** What needs no action is counted only; where EFA does not apply, nothing needs any. */
function formatOthers({ checks, firstFailure, verdict }: Report, extent: Extent, paint: Paint): string[] {
  const isFault = ({ id, status }: ReportedCheck): boolean =>
    verdict !== 'not-applicable' && id !== firstFailure && (status === 'fail' || status === 'warn');
  const shown = {
    all: checks,
    faults: checks.filter(isFault),
    container: OF_CONTAINERS.flatMap((id) => checks.filter((check) => check.id === id)),
  }[extent];
  const counts = (['pass', 'info', 'warn', 'fail', 'skip'] as const)
    .map((status) => [status, checks.filter((check) => check.status === status).length] as const)
    .filter(([, number]) => number > 0)
    .map(([status, number]) => `${number} ${status}`);
  return [
    ...shown.flatMap((check) => formatCheck(check, paint, extent === 'all')),
    ...(shown.length === 0 ? [] : ['']),
    ...wrap('', `${checks.length} checks: ${counts.join(', ')}.`),
    ...(extent === 'all' ? [] : ['--verbose shows them all, --explain ID one of them.']),
  ];
}

function formatCheck(check: ReportedCheck, paint: Paint, hasEvidence: boolean): string[] {
  const { id, status, title, message, evidence, fix } = check;
  const [head = '', ...rest] = wrap(`${status.padEnd(5)}${id.padEnd(9)}`, `${title}: ${message}`);
  return [
    paint(status, head.slice(0, 5)) + head.slice(5),
    ...rest,
    ...(hasEvidence ? evidence.flatMap(({ source, value }) => wrap('    seen  ', `${source}: ${value}`)) : []),
    ...fix.flatMap((line) => formatFix(line)),
  ];
}

/** `--list-checks`. */
export function formatList(checks: readonly Check[]): string {
  const layers = [...new Set(checks.map(({ layer }) => layer))].sort(
    (a, b) => Object.keys(LAYERS).indexOf(a) - Object.keys(LAYERS).indexOf(b),
  );
  const ofLayer = (layer: Layer): string[] => [
    LAYERS[layer],
    ...checks.filter((check) => check.layer === layer).map(({ id, title }) => `  ${id.padEnd(10)}${title}`),
  ];
  return `${layers.flatMap(ofLayer).join('\n')}\n`;
}

/** `--explain ID`. */
export function formatExplanation({ id, title, layer, why, dependsOn, fix, references }: Check): string {
  const lines = [
    `${id} ${title} (${LAYERS[layer]})`,
    '',
    ...wrap('', why),
    '',
    fix.container === undefined ? 'Fix:' : 'On a host:',
    ...fix.host.flatMap((line) => wrap('  ', line)),
    ...(fix.container === undefined ? [] : ['In a container:', ...fix.container.flatMap((line) => wrap('  ', line))]),
    '',
    `Needs: ${dependsOn.length === 0 ? 'nothing' : dependsOn.join(', ')}`,
    ...references.map((reference) => `See: ${reference}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Breaks at blanks, or where a word is longer than the line; later lines are indented like the first. */
export function wrap(head: string, text: string): string[] {
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  const room = WIDTH - head.length;
  const words = text.split(/\s+/).flatMap((word) => word.match(new RegExp(`.{1,${room}}`, 'g')) ?? []);
  for (const word of words) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' '.repeat(head.length);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

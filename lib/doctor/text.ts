/** Reports for people: 80 columns, verdict first; colour only repeats what words say. */
import { LAYERS, type Check, type Layer } from './check.js';
import type { Installer, Role } from './survey/installer.js';
import type { Report } from './report.js';

const WIDTH = 80;

type ReportedCheck = Report['checks'][number];

const COLOURS = { fail: 31, warn: 33, pass: 32, info: 36, skip: 90, bold: 1 } as const;

/** Words with colour, or without. */
export type Paint = (style: keyof typeof COLOURS, text: string) => string;
/** ANSI colours, or the text as it is. */
export const paintWith = (hasColour: boolean): Paint =>
  hasColour ? (style, text) => `\u001b[${COLOURS[style]}m${text}\u001b[0m` : (_style, text) => text;

/** The report; every check where `isVerbose`. */
export function formatReport(
  report: Report,
  { isVerbose = false, paint = paintWith(false), installation = [] as readonly string[] } = {},
): string {
  const { verdict, summary, firstFailure, checks, prediction, consumers } = report;
  const style =
    verdict === 'usable' ? 'pass' : verdict === 'not-applicable' ? 'info' : verdict === 'degraded' ? 'warn' : 'fail';
  const first = checks.find(({ id }) => id === firstFailure);
  const taken = { libfabric: prediction.libfabric, nccl: prediction.nccl, mpi: prediction.openmpi };
  const lines = [
    paint(style, `EFA: ${verdict.toUpperCase()}`),
    ...wrap('  ', summary),
    ...(first === undefined ? [] : ['', ...formatFirst(first, paint)]),
    '',
    'Transports',
    ...consumers.flatMap((consumer) => {
      const { transport, why, confidence } = taken[consumer];
      return wrap(`  ${consumer.padEnd(10)}`, `${transport} (${confidence}: ${why})`);
    }),
    '',
    ...installation,
    ...(installation.length > 0 ? [''] : []),
    ...formatOthers(report, paint, isVerbose),
  ];
  return `${lines.join('\n')}\n`;
}

function formatFirst({ id, title, message, evidence, fix, references }: ReportedCheck, paint: Paint): string[] {
  return [
    paint('bold', `First failing step: ${id} ${title}`),
    ...wrap('  ', message),
    ...evidence.slice(0, 4).flatMap(({ source, value }) => wrap('    seen  ', `${source}: ${value}`)),
    ...(evidence.length > 4 ? [`          and ${evidence.length - 4} more (--verbose)`] : []),
    ...fix.flatMap((line) => wrap('    fix   ', line)),
    ...references.slice(0, 2).map((reference) => `    see   ${reference}`),
  ];
}

/** What needs no action is counted only. */
function formatOthers({ checks, firstFailure }: Report, paint: Paint, isVerbose: boolean): string[] {
  const shown = isVerbose
    ? checks
    : checks.filter(({ id, status }) => id !== firstFailure && (status === 'fail' || status === 'warn'));
  const counts = (['pass', 'info', 'warn', 'fail', 'skip'] as const)
    .map((status) => [status, checks.filter((check) => check.status === status).length] as const)
    .filter(([, number]) => number > 0)
    .map(([status, number]) => `${number} ${status}`);
  return [
    ...shown.flatMap((check) => formatCheck(check, paint, isVerbose)),
    ...wrap(
      '',
      `${checks.length} checks: ${counts.join(', ')}.${isVerbose ? '' : ' --verbose shows all; --explain ID one.'}`,
    ),
  ];
}

function formatCheck(check: ReportedCheck, paint: Paint, isVerbose: boolean): string[] {
  const { id, status, title, message, evidence, fix } = check;
  const [head = '', ...rest] = wrap(`${status.padEnd(5)}${id.padEnd(9)}`, `${title}: ${message}`);
  return [
    paint(status, head.slice(0, 5)) + head.slice(5),
    ...rest,
    ...(isVerbose
      ? evidence.flatMap(({ source, value }) => wrap('                seen  ', `${source}: ${value}`))
      : []),
    ...fix.flatMap((line) => wrap('                fix   ', line)),
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
    'On a host:',
    ...fix.host.flatMap((line) => wrap('  ', line)),
    ...(fix.container === undefined ? [] : ['In a container:', ...fix.container.flatMap((line) => wrap('  ', line))]),
    '',
    `Needs: ${dependsOn.length === 0 ? 'nothing' : dependsOn.join(', ')}`,
    ...references.map((reference) => `See: ${reference}`),
  ];
  return `${lines.join('\n')}\n`;
}

const PARTS: readonly (readonly [Role, string])[] = [
  ['engine', 'libfabric'],
  ['mpi', 'Open MPI'],
  ['plugin', 'NCCL plugin'],
  ['rdma', 'RDMA core'],
  ['driver', 'EFA driver'],
  ['utilities', 'utilities'],
];

/** What the EFA installer recorded, part by part. */
export function formatInstallation(installer: Installer | undefined): string[] {
  if (installer === undefined) return [];
  return [
    `Installed by EFA installer ${installer.version ?? '(no version recorded)'}`,
    ...PARTS.map(([role, name]) => {
      const packages = installer.roles[role]?.map((found) => `${found.name} ${found.version}`) ?? ['not installed'];
      return wrap(`  ${name.padEnd(13)}`, packages.join(', ')).join('\n');
    }),
  ];
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

#!/usr/bin/env node
import { openSync, readSync, closeSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import {
  adviseContainer,
  askLibfabric,
  CHECKS,
  compareNodes,
  examine,
  formatExplanation,
  formatFleet,
  formatInstallation,
  formatList,
  formatReport,
  LiveHost,
  makeReport,
  paintWith,
  readReport,
  renderFleetPage,
  renderPage,
  reportJsonSchema,
  testTraffic,
  TreeHost,
  watch,
  withBundle,
  writeBundle,
  type ExamineOptions,
  type Host,
} from '../doctor/index.js';
import { DoctorUsageError, packageVersion, parseDoctorArguments, type DoctorOptions } from './doctor-arguments.js';

const USAGE = 64;
const INTERNAL = 70;
const LOG_LIMIT = 64 << 20;
const CONTAINER_MISSING = 2;

async function main(): Promise<number> {
  const parsed = parseDoctorArguments(process.argv.slice(2));
  if (parsed === undefined) return 0;
  const { command, operands, options } = parsed;
  if (command === 'merge') return merge(operands, options);
  if (options.listChecks === true) return say(formatList(CHECKS));
  if (options.schema === true) return say(`${JSON.stringify(reportJsonSchema(), undefined, 2)}\n`);
  if (options.explain !== undefined) return explain(options.explain);
  if (options.watch === true) return await runWatched(operands);
  if (options.root === undefined) return await diagnose(new LiveHost(await askLibfabric()), options);
  if (isFile(options.root)) return await withBundle(options.root, (root) => diagnose(new TreeHost(root), options));
  return await diagnose(new TreeHost(options.root), options);
}

async function diagnose(host: Host, options: DoctorOptions): Promise<number> {
  const examination = examine(host, toExamineOptions(options));
  const { survey } = examination;
  if (options.container !== undefined) return say(adviseContainer(options.container, survey));
  if (options.loopback === true || options.peer !== undefined) return await traffic(options);
  const report = makeReport(examination, {
    version: packageVersion(),
    time: new Date(),
    node: host.isLive ? hostname() : (survey.identity.instanceId ?? options.root!),
    isStrict: options.strict,
  });
  if (options.html !== undefined) writeFileSync(options.html, renderPage(report));
  if (options.bundle !== undefined && host instanceof LiveHost) {
    const names = await writeBundle(host, options.bundle);
    const variables = names.length === 0 ? 'no environment variables' : names.join(', ');
    note(`${options.bundle}: what was read of this machine, and of its environment: ${variables}`);
  }
  if (options.json === true) say(`${JSON.stringify(report, undefined, 2)}\n`);
  else {
    say(
      formatReport(report, {
        isVerbose: options.verbose ?? false,
        paint: paintWith(hasColour()),
        installation: formatInstallation(survey.installer),
      }),
    );
  }
  if (options.checkContainer === true && survey.identity.container === undefined) {
    note('This is no container: neither files, nor variables, nor control groups of one.');
    return CONTAINER_MISSING;
  }
  return report.exitCode;
}

function toExamineOptions(options: DoctorOptions): ExamineOptions {
  return {
    consumer: options.for,
    ...(typeof options.expect === 'number' ? { expectDevices: options.expect } : { expectType: options.expect }),
    ...(options.log === undefined ? {} : { log: { name: options.log, text: readLog(options.log) } }),
  };
}

/** The end of a log: that is where the fault is. */
function readLog(file: string): string {
  try {
    const { size } = statSync(file);
    const log = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(Math.min(size, LOG_LIMIT));
      const length = readSync(log, bytes, 0, bytes.length, Math.max(0, size - LOG_LIMIT));
      return bytes.toString('utf8', 0, length);
    } finally {
      closeSync(log);
    }
  } catch (error) {
    throw new DoctorUsageError(`--log ${file}: ${(error as Error).message}`);
  }
}

function explain(id: string): number {
  const check = CHECKS.find((candidate) => candidate.id === id.toUpperCase());
  if (check === undefined) throw new DoctorUsageError(`there is no check ${id}; --list-checks has them all`);
  return say(formatExplanation(check));
}

function merge(files: readonly string[], options: DoctorOptions): number {
  const fleet = compareNodes(files.map(readAsUsage));
  if (options.html !== undefined) writeFileSync(options.html, renderFleetPage(fleet));
  say(options.json === true ? `${JSON.stringify(fleet, undefined, 2)}\n` : formatFleet(fleet));
  return fleet.exitCode;
}

function readAsUsage(file: string): ReturnType<typeof readReport> {
  try {
    return readReport(file);
  } catch (error) {
    throw new DoctorUsageError((error as Error).message);
  }
}

async function runWatched(command: readonly string[]): Promise<number> {
  const { exitCode, devices, sentence } = await watch(new LiveHost(), command).catch((error: unknown) => {
    throw new DoctorUsageError((error as Error).message);
  });
  for (const { name, bytes } of devices) note(`${name}: ${bytes === undefined ? 'no counters' : `${bytes} bytes`}`);
  note(sentence);
  return exitCode;
}

async function traffic({ peer, provider }: DoctorOptions): Promise<number> {
  const { works, sentence, fix, details } = await testTraffic(peer ?? 'local', provider);
  say(`${works ? 'PASS' : 'FAIL'}  ${sentence}\n${fix.map((line) => `  fix   ${line}\n`).join('')}`);
  if (!works && details !== '') note(details);
  return works ? 0 : 2;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (error) {
    throw new DoctorUsageError(`--root ${path}: ${(error as Error).message}`);
  }
}

/** https://no-color.org */
const hasColour = (): boolean => process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

// A reader that has gone, such as `head`, is no failure.
process.stdout.on('error', () => process.exit(0));

const exitCode = await main().catch((error: unknown) => {
  if (error instanceof DoctorUsageError) {
    note(`fabric-doctor: ${error.message}`);
    return USAGE;
  }
  note(`fabric-doctor: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return INTERNAL;
});
process.stdout.write('', () => process.exit(exitCode));

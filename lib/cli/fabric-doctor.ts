#!/usr/bin/env node
import { closeSync, fstatSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import {
  adviseContainer,
  askInstance,
  askLibfabric,
  CHECKS,
  compareNodes,
  examine,
  formatExplanation,
  formatFleet,
  formatList,
  formatReport,
  LiveHost,
  makeReport,
  paintWith,
  readReport,
  renderFleetPage,
  renderPage,
  reportJsonSchema,
  testLoopback,
  testPeer,
  TreeHost,
  watch,
  withBundle,
  writeBundle,
  type ExamineOptions,
  type Extent,
  type Host,
  type LiveFacts,
} from '../doctor/index.js';
import { systemErrorText } from '../system-error.js';
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
  if (options.root === undefined) return await diagnose(new LiveHost(await askLive(options)), options);
  if (isFile(options.root)) return await withBundle(options.root, (root) => diagnose(new TreeHost(root), options));
  return await diagnose(new TreeHost(options.root), options);
}

async function diagnose(host: Host, options: DoctorOptions): Promise<number> {
  const examination = examine(host, toExamineOptions(options));
  const { survey } = examination;
  if (options.container !== undefined) return say(adviseContainer(options.container, survey));
  const report = makeReport(examination, {
    version: packageVersion(),
    time: new Date(),
    node: host.isLive ? hostname() : (survey.identity.instanceId ?? options.root!),
    isStrict: options.strict,
  });
  if (options.html !== undefined) writePage(options.html, renderPage(report));
  if (options.bundle !== undefined && host instanceof LiveHost) {
    const names = await bundle(host, options.bundle);
    const variables = names.length === 0 ? 'no environment variables' : names.join(', ');
    note(`${options.bundle}: what was read of this machine, and of its environment: ${variables}`);
  }
  if (options.json === true) say(`${JSON.stringify(report, undefined, 2)}\n`);
  else say(formatReport(report, extentOf(options), paintWith(hasColour())));
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

/** The end of a log, since the fault is there; `-` is the standard input. */
function readLog(file: string): string {
  try {
    const log = file === '-' ? 0 : openSync(file, 'r');
    try {
      const { size } = fstatSync(log);
      // a pipe has no size
      return readTo(log, Math.max(0, size - LOG_LIMIT)).toString('utf8');
    } finally {
      if (log !== 0) closeSync(log);
    }
  } catch (error) {
    throw new DoctorUsageError(`--log ${file}: ${systemErrorText(error)}`);
  }
}

function readTo(file: number, start: number): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  while (total < LOG_LIMIT) {
    const chunk = Buffer.alloc(1 << 16);
    const length = readSync(file, chunk, 0, chunk.length, start === 0 ? null : start + total);
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
    total += length;
  }
  return Buffer.concat(chunks);
}

function explain(id: string): number {
  const check = CHECKS.find((candidate) => candidate.id === id.toUpperCase());
  if (check === undefined) throw new DoctorUsageError(`there is no check ${id}; --list-checks has them all`);
  return say(formatExplanation(check));
}

function merge(files: readonly string[], options: DoctorOptions): number {
  const fleet = compareNodes(files.map(readAsUsage));
  if (options.html !== undefined) writePage(options.html, renderFleetPage(fleet));
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

/** What only this machine can say, as far as it is wanted. */
async function askLive(options: DoctorOptions): Promise<LiveFacts> {
  const { provider, peer } = options;
  const [libfabric, instance] = await Promise.all([askLibfabric(), options.imds === true ? askInstance() : undefined]);
  const live: LiveFacts = { ...libfabric, ...(instance === undefined ? {} : { instance }) };
  // without efa there is nothing to try
  const canTry = provider !== 'efa' || (live.efa?.domains.length ?? 0) > 0;
  const loopback = options.loopback === true && canTry ? await testLoopback(new LiveHost(live), provider) : [];
  const reached = peer !== undefined && canTry ? [await testPeer(peer, provider)] : [];
  return {
    ...live,
    ...(options.loopback === true ? { loopback } : {}),
    ...(peer === undefined ? {} : { peer: reached }),
  };
}

const extentOf = ({ verbose, checkContainer }: DoctorOptions): Extent =>
  verbose === true ? 'all' : checkContainer === true ? 'container' : 'faults';

function writePage(file: string, page: string): void {
  try {
    writeFileSync(file, page);
  } catch (error) {
    throw new DoctorUsageError(`--html ${file}: ${systemErrorText(error)}`);
  }
}

async function bundle(host: LiveHost, file: string): Promise<string[]> {
  try {
    return await writeBundle(host, file);
  } catch (error) {
    // anything else is no fault of the file
    if ((error as NodeJS.ErrnoException).syscall !== 'copyfile') throw error;
    throw new DoctorUsageError(`--bundle ${file}: ${systemErrorText(error)}`);
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (error) {
    throw new DoctorUsageError(`--root ${path}: ${systemErrorText(error)}`);
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

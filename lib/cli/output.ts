import { accessSync, constants, existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { debuglog } from 'node:util';
import { BenchError, REPORT_FORMAT, type PingpongResult, type Report, type ServeResult } from '../bench/index.js';
import { describeFailure, UsageError, type ExitCode, type Failure } from './exit-codes.js';
import { renderReport } from '../report/html.js';
import { systemErrorText } from '../system-error.js';
import { formatAsClassic } from './classic-table.js';
import { UNITS, type Units } from '../report/units.js';
import { formatCsv } from './csv.js';
import { formatReport, wrap } from './table.js';

/** What a command line says about output, apart from the rest of it. */
export interface OutputArguments {
  rest: string[];
  /** Of `--json=FILE`. */
  json?: string;
  /** Of `--html FILE` or `--html=FILE`. */
  html?: string;
  /** Of `--classic`: fi_pingpong's table. */
  classic?: boolean;
  /** Of `--classic-exit`: its exit codes. */
  classicExit?: boolean;
}

/** Takes what is about output only from a command line: failures to read the rest of it are printed too. */
export function readOutputArguments(argv: readonly string[]): OutputArguments {
  const found: OutputArguments = { rest: [] };
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    const [, option, file] = /^--(json|html)=(.+)$/.exec(word) ?? [];
    const next = argv[index + 1];
    if (option !== undefined) found[option as 'json' | 'html'] = file!;
    else if (word === '--html' && next !== undefined && !next.startsWith('-')) {
      found.html = next;
      index++;
    } else if (word === '--classic') found.classic = true;
    else if (word === '--classic-exit') found.classicExit = true;
    else found.rest.push(word);
  }
  return found;
}

/** Refuses what would be taken and print nothing; `target` has no results for it. @throws UsageError */
export function refuseOutput(
  given: OutputArguments,
  names: readonly ('json' | 'html' | 'classic')[],
  target: string,
): void {
  const misplaced = names.find((name) => given[name] !== undefined);
  if (misplaced === undefined) return;
  throw new UsageError(`--${misplaced === 'json' ? 'json=FILE' : misplaced} has no meaning with ${target}`);
}

/** The value of an option in a command line that nobody has read yet. */
function readOption(argv: readonly string[], name: string): string | undefined {
  const joined = argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  return joined ?? (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined);
}

/** Stack traces and progress, for whoever sets NODE_DEBUG=fabric-pingpong. */
export const debug = debuglog('fabric-pingpong');

/**
 * Where the program's answers go: results to stdout, everything else to stderr. With `json`,
 * stdout gets exactly one object, whatever happens.
 */
export class Output {
  readonly #isJson: boolean;
  readonly #isCsv: boolean;
  readonly #isLines: boolean;
  readonly #units: Units;
  /** Of --json=FILE and --html=FILE. One that cannot be written is not tried again. */
  readonly #files: { json?: string | undefined; html?: string | undefined };
  readonly #isClassic: boolean;

  constructor({ rest, json, html, classic = false }: OutputArguments) {
    this.#files = { json, html };
    this.#isClassic = classic;
    this.#isJson = rest.includes('--json');
    this.#isCsv = rest.includes('--csv');
    this.#isLines = rest.includes('--ndjson');
    // A wrong unit is found by whoever reads the rest of the command line.
    this.#units = UNITS.find((unit) => readOption(rest, '--units') === unit) ?? 'MB';
  }

  /** Before anything is measured that could not be kept. @throws UsageError */
  checkFiles(): void {
    for (const option of ['json', 'html'] as const) {
      this.#withFile(option, (file) => {
        accessSync(existsSync(file) ? file : dirname(file), constants.W_OK);
      });
    }
  }

  /** Something that happened meanwhile: a line, with --ndjson. */
  event(event: string, content: object): void {
    if (this.#isLines) process.stdout.write(`${JSON.stringify({ event, ...content })}\n`);
  }

  /** What was measured. */
  result(result: PingpongResult): void {
    const report = { format: REPORT_FORMAT, ok: true, interrupted: false, ...result } as const;
    this.#save(report);
    this.#draw(result);
    if (this.#isLines) {
      this.event('end', report);
    } else if (this.#isJson) {
      this.#json(report);
    } else {
      this.#print(result);
      return;
    }
    for (const { message } of result.warnings) this.note(`! ${message}`);
  }

  /** What a server has done: its sessions were reported line by line, so text has no more to say. */
  served({ sessions, interrupted }: ServeResult, failure: Failure | undefined): void {
    if (!this.#isJson) return;
    this.#json({
      format: REPORT_FORMAT,
      ok: failure === undefined,
      role: 'server',
      interrupted,
      sessions: sessions.map(({ error, ...session }) =>
        error === undefined ? { ...session, ok: true } : { ...session, ok: false, error: describeFailure(error) },
      ),
      ...(failure === undefined ? {} : { error: failure }),
    });
  }

  /** Why it did not work, after what had been measured until then. Returns the exit code. */
  failure(error: unknown, exitCodeOfInterrupt: ExitCode = 130): ExitCode {
    debug('%O', error);
    const failure = describeFailure(error);
    const isInterrupted = error instanceof BenchError && error.code === 'INTERRUPTED';
    if (isInterrupted) failure.exitCode = exitCodeOfInterrupt;
    const partial = error instanceof BenchError ? error.partial : undefined;
    const report = {
      format: REPORT_FORMAT,
      ok: false,
      interrupted: isInterrupted,
      error: failure,
      ...partial,
    } as const;
    try {
      this.#save(report);
      if (partial) this.#draw(partial);
    } catch (fault) {
      this.note(`fabric-pingpong: ${(fault as UsageError).message}`);
    }
    if (this.#isLines) {
      this.event('end', report);
    } else if (this.#isJson) {
      this.#json(report);
    } else if (partial && partial.measurements.length > 0) {
      this.#print(partial);
    }
    this.note(`fabric-pingpong: ${failure.message}`);
    if (failure.hint !== undefined) this.note(`  ${failure.hint}`);
    return failure.exitCode;
  }

  /** A line for people. */
  note(text: string): void {
    for (const paragraph of text.split('\n')) {
      const [, indent = '', words = ''] = /^(\s*)(.*)$/.exec(paragraph) ?? [];
      process.stderr.write(`${wrap(indent, words).join('\n')}\n`);
    }
  }

  #print(result: PingpongResult): void {
    const table = (): string => (this.#isCsv ? formatCsv(result) : formatReport(result, this.#units));
    process.stdout.write(this.#isClassic ? formatAsClassic(result) : table());
  }

  #save(value: Report): void {
    this.#withFile('json', (file) => {
      writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
    });
  }

  #draw(result: PingpongResult): void {
    this.#withFile('html', (file) => {
      writeFileSync(file, renderReport(result, new Date().toISOString(), this.#units));
    });
  }

  /** @throws UsageError where the operating system refuses. */
  #withFile(option: 'json' | 'html', use: (file: string) => void): void {
    const file = this.#files[option];
    if (file === undefined) return;
    try {
      use(file);
    } catch (error) {
      this.#files[option] = undefined;
      throw new UsageError(`--${option}=${file}: ${systemErrorText(error)}`);
    }
  }

  #json(value: Report): void {
    process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }
}

import { debuglog } from 'node:util';
import { BenchError, type PingpongResult, type ServeResult } from '../bench/index.js';
import { describeFailure, type ExitCode, type Failure } from './exit-codes.js';
import { formatReport, wrap } from './table.js';

/** Stack traces and progress, for whoever sets NODE_DEBUG=fabric-pingpong. */
export const debug = debuglog('fabric-pingpong');

/**
 * Where the program's answers go: results to stdout, everything else to stderr. With `json`,
 * stdout gets exactly one object, whatever happens.
 */
export class Output {
  readonly #isJson: boolean;

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  /** What was measured. */
  result(result: PingpongResult): void {
    if (!this.#isJson) {
      process.stdout.write(formatReport(result));
      return;
    }
    for (const { message } of result.warnings) this.note(`! ${message}`);
    this.#json({ ok: true, ...result });
  }

  /** What a server has done: its sessions were reported line by line, so text has no more to say. */
  served({ sessions, interrupted }: ServeResult, failure: Failure | undefined): void {
    if (!this.#isJson) return;
    this.#json({
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
    if (this.#isJson) {
      this.#json({ ok: false, interrupted: isInterrupted, error: failure, ...partial });
    } else if (partial && partial.measurements.length > 0) {
      process.stdout.write(formatReport(partial));
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

  #json(value: object): void {
    process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }
}

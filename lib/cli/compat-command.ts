import {
  ClassicError,
  classicPingpong,
  fabtestsPingpong,
  type ClassicMeasurement,
  type ClassicResult,
  type CompatProgram,
} from '../bench/index.js';
import { formatClassicTable, formatFabtestsTable } from './classic-table.js';
import { parseCompatArguments } from './compat-arguments.js';
import { describeFailure, type ExitCode, type Failure } from './exit-codes.js';
import { debug, Output } from './output.js';
import { formatColumns, formatFigure } from './table.js';

const NAMES: Record<CompatProgram, string> = { fi_pingpong: 'a fi_pingpong', fabtests: 'a fi_rdm_pingpong -b' };

/** `fabric-pingpong --compat`: an end of a session with a program of C. */
export async function runCompat(
  argv: readonly string[],
  signal: AbortSignal,
  output: Output,
  isClassic: boolean,
): Promise<ExitCode> {
  const parsed = parseCompatArguments(argv);
  if (parsed === undefined) return 0;
  const { session, verbose } = parsed;
  const common = {
    signal,
    onListening: ({ address, port }: { address: string; port: number }) => {
      output.note(`listening on ${address} port ${port} for ${NAMES[session.program]}`);
    },
    ...(verbose && {
      onPhase: (phase: string) => {
        output.note(phase);
      },
    }),
  };
  try {
    const result =
      session.program === 'fabtests'
        ? await fabtestsPingpong({ ...session.options, ...common })
        : await classicPingpong({ ...session.options, ...common });
    print(result, undefined, parsed.json, isClassic);
    return 0;
  } catch (error) {
    debug('%O', error);
    const failure = describeFailure(error);
    print(error instanceof ClassicError ? error.classic : undefined, failure, parsed.json, isClassic);
    output.note(`fabric-pingpong: ${failure.message}`);
    if (failure.hint !== undefined) output.note(`  ${failure.hint}`);
    return failure.exitCode;
  }
}

function print(
  result: ClassicResult | undefined,
  failure: Failure | undefined,
  isJson: boolean,
  isClassic: boolean,
): void {
  if (isJson) {
    const report = { ok: failure === undefined, ...(failure && { error: failure }), ...result };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  } else if (result && isClassic) {
    const format = result.compat === 'fabtests' ? formatFabtestsTable : formatClassicTable;
    process.stdout.write(format(result.measurements));
  } else if (result && (failure === undefined || result.measurements.length > 0)) {
    process.stdout.write(formatCompatReport(result));
  }
}

function formatCompatReport(result: ClassicResult): string {
  const { provider, protocol, endpointType, operation, verify, domain, role, libfabric } = result;
  const lines = [
    `${provider} (${protocol}, ${endpointType}), ${operation}${verify ? ', data checked' : ''}, with ${NAMES[result.compat]}`,
    `  this end  ${role}, libfabric ${libfabric}, domain ${domain}`,
    `            data ${result.dataAddress}, control ${result.controlAddress}`,
    `  other end data ${result.peerDataAddress}, control ${result.peerControlAddress}`,
    '',
    formatColumns(HEAD, result.measurements.map(formatRow)),
  ];
  return `${lines.join('\n')}\n`;
}

const HEAD = ['bytes', 'iters', 'min', 'p50', 'p90', 'p99', 'max', 'mean µs', 'MB/s'];

function formatRow({ size, iterations, latency, microseconds }: ClassicMeasurement): string[] {
  const { min, p50, p90, p99, max, mean } = latency ?? {};
  const figures = [min, p50, p90, p99, max, mean].map((value) => (value === undefined ? '-' : formatFigure(value)));
  const rate = microseconds > 0 ? formatFigure((2 * iterations * size) / microseconds) : '-';
  return [String(size), String(iterations), ...figures, rate];
}

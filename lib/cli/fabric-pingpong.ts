#!/usr/bin/env node
import {
  DEFAULT_TIMEOUT,
  pingpong,
  pinPair,
  reportJsonSchema,
  watchEventLoop,
  type PingpongResult,
} from '../bench/index.js';
import { parseArguments, type Options } from './arguments.js';
import { isCompat } from './compat-arguments.js';
import { runCompat } from './compat-command.js';
import { runCompare } from './compare-command.js';
import { CLASSIC_EXIT_CODES, type ExitCode } from './exit-codes.js';
import { LocalServer } from './local-server.js';
import { debug, Output, readOutputArguments, refuseOutput } from './output.js';
import { ProgressBar } from './progress-bar.js';
import { runServe } from './serve-command.js';

const controller = new AbortController();
const outputArguments = readOutputArguments(process.argv.slice(2));
const argv = outputArguments.rest;
const output = new Output(outputArguments);
/** Besides the deadline of a phase: what opening endpoints and large buffers may take. */
const PATIENCE_MILLISECONDS = 5000;
let exitCodeOfInterrupt: ExitCode = 130;

async function main(): Promise<ExitCode> {
  if (isCompat(argv)) {
    refuseOutput(outputArguments, ['json', 'html'], '--compat');
    listenForSignals('compat');
    const exitCode = await runCompat(argv, controller.signal, output, outputArguments.classic ?? false);
    return controller.signal.aborted ? exitCodeOfInterrupt : exitCode;
  }
  if (argv[0] === 'compare') {
    refuseOutput(outputArguments, ['json', 'html', 'classic'], 'compare');
    return runCompare(argv.slice(1));
  }
  if (argv.includes('--schema')) {
    process.stdout.write(`${JSON.stringify(reportJsonSchema(), undefined, 2)}\n`);
    return 0;
  }
  const parsed = parseArguments(argv);
  if (!parsed) return 0;
  const { target, options } = parsed;
  if (target === 'serve') {
    refuseOutput(outputArguments, ['json', 'html', 'classic'], 'serve: the client has the results');
  }
  output.checkFiles();
  listenForSignals(target);
  watchEventLoop((options.timeout ?? DEFAULT_TIMEOUT) + PATIENCE_MILLISECONDS, 'fabric-pingpong', 7);
  if (target === 'serve') {
    const exitCode = await runServe(options, controller.signal, output);
    return controller.signal.aborted ? exitCodeOfInterrupt : exitCode;
  }
  output.result(target === 'local' ? await measureLocally(options) : await measure(target, options));
  return 0;
}

async function measureLocally(options: Options): Promise<PingpongResult> {
  const timeout = options.timeout ?? DEFAULT_TIMEOUT;
  const [pin, serverPin] = options.pin === undefined ? [] : pinPair(options.pin);
  await using server = new LocalServer(timeout, serverPin);
  const port = await server.listening(timeout);
  return await measure('127.0.0.1', { ...options, port, ...(pin === undefined ? {} : { pin }) });
}

async function measure(host: string, options: Options): Promise<PingpongResult> {
  const bar = new ProgressBar(process.stderr);
  try {
    return await pingpong({
      ...options,
      host,
      signal: controller.signal,
      onSelected: (result) => {
        output.event('selected', result);
      },
      onProgress: (progress) => {
        bar.update(progress);
        debug('%j', progress);
        output.event('progress', progress);
      },
      onMeasurement: (measurement) => {
        output.event('measurement', measurement);
      },
    });
  } finally {
    bar.stop();
  }
}

function listenForSignals(target: string): void {
  // The server of `local` is in the terminal's foreground group too: the process that forked it
  // decides when it ends, and its end closes the channel.
  if (target === 'serve' && process.connected) {
    process.on('SIGINT', () => undefined);
    process.once('disconnect', () => {
      controller.abort();
    });
    return;
  }
  const onSignal = (exitCode: ExitCode): void => {
    // Whoever asks twice does not want to wait for what there is.
    if (controller.signal.aborted) process.exit(exitCode);
    exitCodeOfInterrupt = exitCode;
    controller.abort();
  };
  process.on('SIGINT', () => {
    onSignal(130);
  });
  process.on('SIGTERM', () => {
    onSignal(143);
  });
}

// A reader that has gone, such as `head`, is no failure of the measurement.
process.stdout.on('error', () => process.exit(0));

const exitCode = await main().catch((error: unknown) => output.failure(error, exitCodeOfInterrupt));
// Not before stdout has taken everything, which a pipe may do late.
process.stdout.write('', () =>
  process.exit(outputArguments.classicExit === true ? CLASSIC_EXIT_CODES[exitCode] : exitCode),
);

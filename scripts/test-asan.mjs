// Runs the tests with the addon that has AddressSanitizer and UndefinedBehaviorSanitizer built in.
// Arguments go to vitest.
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './set-up/run.mjs';

/** @param {string} name of a library as the compiler that built the addon knows it */
const compilerLibrary = (name) => execFileSync('c++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();

/** Tests that run no native code, or none that others do not run too: processes start slowly with sanitizers. */
const without = [
  ...['surface', 'types', 'constants', 'benchmarks/results', 'doctor/**/*'],
  ...['cli/**/*', 'processes-tagged'],
].map((name) => `--exclude=test/${name}.test.ts`);

const vitest = spawn(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    ...['run', ...without, '--outputFile.json=build/reports/test-asan.json', ...process.argv.slice(2)],
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_LIBFABRIC_ADDON: join(root, 'build/asan/Release/node_libfabric.node'),
      // Node is not instrumented, so the run-time library has to come first. libstdc++ with it:
      // the library looks for __cxa_throw when it starts, and aborts at the first throw otherwise.
      LD_PRELOAD: [compilerLibrary('libasan.so'), compilerLibrary('libstdc++.so')].join(' '),
      // V8 and libfabric keep memory until the process ends, which is no leak of ours
      ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:disable_coredump=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  },
);
vitest.on('exit', (code) => {
  process.exitCode = code ?? 1;
});

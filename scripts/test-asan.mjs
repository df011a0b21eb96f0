// Runs the tests with the addon that has AddressSanitizer and UndefinedBehaviorSanitizer built in.
// Arguments go to vitest.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { sanitizerEnvironment } from './sanitizer-environment.mjs';
import { root } from './set-up/run.mjs';

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
    env: { ...process.env, ...sanitizerEnvironment() },
  },
);
vitest.on('exit', (code) => {
  process.exitCode = code ?? 1;
});

// Runs the tests of vitest.efa.config.ts on a software EFA device (test/softefa). With --asan, the addon has sanitizers built in,
// and fewer files are run if none is named. Other arguments go to vitest. Where the device cannot be built, the tests are
// skipped, and say why.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sanitizerEnvironment } from './sanitizer-environment.mjs';
import { root } from './set-up/run.mjs';

/** What is about memory, and who may use it until when: processes start slowly with sanitizers. */
const SANITIZED = [
  ...['efa/datagrams', 'efa/devices', 'efa/failures', 'efa/protocols', 'atomics', 'endpoint-cancel', 'endpoint-close'],
  ...['endpoint-messages', 'endpoint-truncation', 'memory', 'memory-region', 'multi-receive', 'post-batch'],
  ...['process-end', 'processes-datagrams', 'processes-messages', 'processes-rma', 'processes-rma-failures', 'rma'],
  'worker',
].map((name) => `test/${name}.test.ts`);

const isSanitized = process.argv.includes('--asan');
const given = process.argv.slice(2).filter((argument) => argument !== '--asan');
const namesFiles = given.some((argument) => argument.endsWith('.test.ts'));
const chosen = isSanitized
  ? ['--outputFile.json=build/reports/test-efa-asan.json', ...given, ...(namesFiles ? [] : SANITIZED)]
  : given;
if (isSanitized) execFileSync(process.execPath, [join(root, 'scripts/set-up.mjs'), '--asan'], { stdio: 'inherit' });

const setUp = spawnSync(process.execPath, [join(root, 'scripts/set-up.mjs'), '--efa'], { encoding: 'utf8' });
process.stderr.write(setUp.stderr);
const reason = setUp.status === 0 ? undefined : setUp.stderr.trimEnd().split('\n').at(-1);

// what the devices' processes share, gone when the tests have ended
const folder = `/dev/shm/softefa-test-${process.pid}`;
mkdirSync(folder, { recursive: true });

const vitest = spawn(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), ...['run', '--config=vitest.efa.config.ts', ...chosen]],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(isSanitized ? sanitizerEnvironment() : {}),
      ...(reason === undefined ? deviceEnvironment() : { SOFTEFA_MISSING: reason }),
    },
  },
);
vitest.on('exit', (code) => {
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = code ?? 1;
});

function deviceEnvironment() {
  return {
    SOFTEFA_DIR: folder,
    SOFTEFA_HOST: '1',
    SYSFS_PATH: `${folder}/host-1`,
    LD_LIBRARY_PATH: join(root, 'build/softefa'),
    // else endpoints of one host talk over shared memory, and the device has nothing to do
    FI_EFA_ENABLE_SHM_TRANSFER: '0',
  };
}

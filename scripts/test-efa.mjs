// Runs the tests of vitest.efa.config.ts on a software EFA device (test/softefa). Arguments go to vitest. Where the device
// cannot be built, the tests are skipped, and say why.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './set-up/run.mjs';

const setUp = spawnSync(process.execPath, [join(root, 'scripts/set-up.mjs'), '--efa'], { encoding: 'utf8' });
process.stderr.write(setUp.stderr);
const reason = setUp.status === 0 ? undefined : setUp.stderr.trimEnd().split('\n').at(-1);

// what the devices' processes share, gone when the tests have ended
const folder = `/dev/shm/softefa-test-${process.pid}`;
mkdirSync(folder, { recursive: true });

const vitest = spawn(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config=vitest.efa.config.ts', ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
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

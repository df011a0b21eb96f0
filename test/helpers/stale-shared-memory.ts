/**
 * Removes what killed processes left of libfabric's shm provider, before any test runs: it names its files after process
 * ids, and a later process that gets the same id cannot open an endpoint. This package removes such a file itself; the C
 * programs that the tests talk to do not.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';

const FOLDER = '/dev/shm';

export default function removeStaleSharedMemory(): void {
  if (!existsSync(FOLDER)) return;
  for (const name of readdirSync(FOLDER)) {
    const [, pid] = /^(\d+):\d+:\d+$/.exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(`${FOLDER}/${name}`, { force: true });
  }
}

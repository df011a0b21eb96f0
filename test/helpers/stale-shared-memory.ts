/**
 * Removes the shared memory of killed processes, before any test runs and after the last. shm names its files after process
 * ids, and a later process that gets the same id cannot open an endpoint: this package removes such a file itself; the C
 * programs that the tests talk to do not. efa's, of 16 MiB each, have the address of a device.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';

const FOLDER = '/dev/shm';
const OF_PROCESS = /^(\d+):\d+:\d+$/;
/** Of a software EFA device: that of hardware has its MAC address. */
const OF_DEVICE = /^fe80::[\da-f]+:0:\d+_/;

function removeStale(): void {
  if (!existsSync(FOLDER)) return;
  const names = readdirSync(FOLDER);
  const ofProcesses = names.filter((name) => {
    const [, pid] = OF_PROCESS.exec(name) ?? [];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
  const ofDevices = names.filter((name) => OF_DEVICE.test(name));
  // looked at after the names: what was being made has an owner now
  const mapped = ofDevices.length === 0 ? '' : everyMapping();
  const unmapped = ofDevices.filter((name) => !mapped.includes(`${FOLDER}/${name}`));
  for (const name of [...ofProcesses, ...unmapped]) rmSync(`${FOLDER}/${name}`, { force: true });
}

/** What all processes have mapped. */
function everyMapping(): string {
  const mapsOf = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/maps`, 'utf8');
    } catch {
      // it has ended, or is somebody else's
      return '';
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(mapsOf)
    .join('');
}

/** For vitest's globalSetup, which calls what it returns at the end. */
export default function removeStaleSharedMemory(): () => void {
  removeStale();
  return removeStale;
}

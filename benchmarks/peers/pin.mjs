import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Keeps this thread on one core, as the ends of the other measurements are kept. @param {number} core */
export function pinThread(core) {
  const thread = basename(readlinkSync('/proc/thread-self'));
  const { status, stderr } = spawnSync('taskset', ['--cpu-list', '--pid', String(core), thread], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`taskset: ${stderr}`);
}

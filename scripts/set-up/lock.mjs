import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from './run.mjs';

// A folder: creating one either succeeds or fails, whoever else tries at the same moment.
const lock = join(root, 'build/set-up.lock');
const owner = join(lock, 'pid');
const pollMilliseconds = 200;
const longestSetUpMilliseconds = 30 * 60 * 1000;

/**
 * Runs `action` while no other set-up of this checkout runs.
 * @param {() => Promise<void>} action
 */
export async function withLock(action) {
  let announced = false;
  while (!acquire()) {
    if (isAbandoned()) {
      discard();
      continue;
    }
    if (!announced) process.stderr.write('set-up: waiting for another set-up of this checkout …\n');
    announced = true;
    await delay(pollMilliseconds);
  }
  const release = () => {
    rmSync(lock, { recursive: true, force: true });
  };
  const interrupted = (/** @type {NodeJS.Signals} */ signal) => {
    release();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    await action();
  } finally {
    release();
  }
}

function acquire() {
  mkdirSync(join(root, 'build'), { recursive: true });
  try {
    mkdirSync(lock);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(owner, String(process.pid));
  return true;
}

/** The owner was killed, or its pid belongs to something else by now. */
function isAbandoned() {
  try {
    const age = Date.now() - statSync(lock).mtimeMs;
    // a fresh lock may not have its pid file yet
    if (age < 1000) return false;
    if (age > longestSetUpMilliseconds) return true;
    process.kill(Number(readFileSync(owner, 'utf8')), 0);
    return false;
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code;
    return code === 'ESRCH' || code === 'ENOENT';
  }
}

/** Renamed before it is removed, so that of several waiters one takes away the old lock and none a new one. */
function discard() {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch {
    return; // another waiter was faster
  }
  rmSync(aside, { recursive: true, force: true });
}

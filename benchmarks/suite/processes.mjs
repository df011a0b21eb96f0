/** The processes of a measurement, each on a core of its own, and an end to them whatever happens. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Ends what runs: for who is interrupted. */
export function killAll() {
  for (const child of running) child.kill('SIGKILL');
}

const SHARED_MEMORY = '/dev/shm';

/** What a process that did not end by itself has left of provider shm: another one may get its number. @param {number} pid */
function removeSharedMemory(pid) {
  if (!existsSync(SHARED_MEMORY)) return;
  for (const name of readdirSync(SHARED_MEMORY)) {
    if (name.startsWith(`${pid}:`)) rmSync(join(SHARED_MEMORY, name), { force: true });
  }
}

/**
 * @typedef {object} End
 * @property {import('node:child_process').ChildProcessWithoutNullStreams} child
 * @property {Promise<void>} exited rejects unless it ends with 0
 */

/**
 * Starts a program.
 *
 * @param {string} cores of those that taskset takes
 * @param {readonly string[]} command
 * @param {NodeJS.ProcessEnv} environment besides that of this process
 * @returns {End}
 */
export function start(cores, command, environment) {
  const child = spawn('taskset', ['--cpu-list', cores, ...command], { env: { ...process.env, ...environment } });
  running.add(child);
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  // Who has gone does not read any more; that it has gone is what counts.
  child.stdin.on('error', () => undefined);
  /** @type {Promise<void>} */
  const exited = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running.delete(child);
      if (code !== 0 && child.pid !== undefined) removeSharedMemory(child.pid);
      if (code === 0) resolve();
      else
        reject(new Error(`${command.join(' ')}: ${signal ?? `exit ${String(code)}`}: ${errors.trim().slice(-2000)}`));
    });
  });
  return { child, exited };
}

/**
 * Waits for what `action` makes of some ends, and ends them all: when it is over, when one of them fails, or when it takes
 * too long.
 *
 * @template T
 * @param {readonly End[]} ends
 * @param {number} deadline in milliseconds
 * @param {Promise<T>} action
 * @returns {Promise<T>}
 */
export async function supervise(ends, deadline, action) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not over after ${Math.round(deadline / 1000)} s: ${ends[0]?.child.spawnargs.join(' ') ?? ''}`));
    }, deadline);
  });
  try {
    await Promise.race([Promise.all(ends.map(({ exited }) => exited)), late]);
    return await action;
  } finally {
    clearTimeout(timer);
    for (const { child, exited } of ends) {
      child.kill('SIGKILL');
      exited.catch(() => undefined);
    }
  }
}

/**
 * Hands the lines of one end to the other, up to "done". The line after that is the result.
 *
 * @param {End} end
 * @param {End | undefined} other none for a program that has both ends in it, and says nothing but its result
 * @returns {Promise<{ phases: import('./types.js').Phase[] }>}
 */
async function converse(end, other) {
  let isDone = other === undefined;
  for await (const line of createInterface({ input: end.child.stdout })) {
    if (isDone) {
      /** @type {{ phases: import('./types.js').Phase[] }} */
      const result = JSON.parse(line);
      return result;
    }
    other?.child.stdin.write(`${line}\n`);
    isDone = line === 'done';
  }
  throw new Error(`${end.child.spawnargs.join(' ')} has said nothing`);
}

/**
 * Runs both ends of a measurement.
 *
 * @param {readonly string[]} command the same for both, but for --end
 * @param {readonly [number, number]} cores
 * @param {number} deadline in milliseconds
 * @param {NodeJS.ProcessEnv} environment
 */
export async function runPair(command, [clientCore, serverCore], deadline, environment) {
  const server = start(String(serverCore), [...command, '--end', 'server'], environment);
  const client = start(String(clientCore), [...command, '--end', 'client'], environment);
  const said = Promise.all([converse(client, server), converse(server, client)]);
  // When an end fails, that is what supervise() says, and not that it has said nothing.
  said.catch(() => undefined);
  const [fromClient, fromServer] = await supervise([client, server], deadline, said);
  return { client: fromClient.phases, server: fromServer.phases };
}

/**
 * Runs a program that is alone.
 *
 * @param {readonly string[]} command
 * @param {string} cores
 * @param {number} deadline in milliseconds
 * @param {NodeJS.ProcessEnv} environment
 */
export async function runAlone(command, cores, deadline, environment) {
  const end = start(cores, command, environment);
  const said = converse(end, undefined);
  said.catch(() => undefined);
  const { phases } = await supervise([end], deadline, said);
  return { client: phases, server: [] };
}

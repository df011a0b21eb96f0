/** Two processes of a measurement, each on a core of its own, and an end to both whatever happens. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const DEADLINE_MILLISECONDS = 60_000;

/** Free ports differ from round to round, so that no round waits for the sockets of the one before. */
let nextPort = 20_000 + (process.pid % 20_000);

/** @param {number} port */
function isListening(port) {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  // Looking, not connecting: fi_pingpong's server takes the first connection for its client.
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .some((line) => line.split(/\s+/)[2]?.endsWith(wanted) === true && line.includes(' 0A ')),
  );
}

/**
 * @param {number} core
 * @param {string[]} command
 */
function start(core, command) {
  const child = spawn('taskset', ['-c', String(core), ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { text: '', errors: '' };
  child.stdout.on('data', (chunk) => (output.text += String(chunk)));
  child.stderr.on('data', (chunk) => (output.errors += String(chunk)));
  const exited = new Promise((resolve) => child.once('close', resolve));
  return { child, output, exited, command };
}

/**
 * Runs a server and, once it listens, a client.
 *
 * @param {(port: number) => string[]} server
 * @param {(port: number) => string[]} client
 * @returns {Promise<string>} what the client printed
 */
export async function measure(server, client) {
  const port = nextPort++;
  const serving = start(1, server(port));
  const ends = [serving];
  const timer = setTimeout(() => {
    for (const { child } of ends) child.kill('SIGKILL');
  }, DEADLINE_MILLISECONDS);
  try {
    while (!isListening(port)) {
      if (serving.child.exitCode !== null) throw new Error(`${serving.command.join(' ')}: ${serving.output.errors}`);
      await delay(10);
    }
    const asking = start(0, client(port));
    ends.push(asking);
    const code = await asking.exited;
    if (code !== 0) throw new Error(`${asking.command.join(' ')}: exit ${String(code)}: ${asking.output.errors}`);
    await serving.exited;
    return asking.output.text;
  } finally {
    clearTimeout(timer);
    for (const { child } of ends) child.kill('SIGKILL');
  }
}

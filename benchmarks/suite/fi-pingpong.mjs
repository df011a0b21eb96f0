/** Debian's fi_pingpong: a check of our own C program by somebody else's. It knows averages only. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { start, supervise } from './processes.mjs';

/** Half a round trip of a small message takes about so many seconds: fi_pingpong wants a number, not a time. */
const EXPECTED_LATENCY = { shm: 1e-6, others: 10e-6 };

/** Until a server listens: without it, the client says what is wrong. In milliseconds. */
const LISTEN_DEADLINE = 10_000;

/** Ports differ from run to run, so that none waits for the sockets of the one before. */
let nextPort = 20_000 + (process.pid % 20_000);

/** @param {number} port */
function isListening(port) {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  // Looking, not connecting: the server takes the first connection for its client.
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .some((line) => line.split(/\s+/)[2]?.endsWith(wanted) === true && line.includes(' 0A ')),
  );
}

/**
 * @param {{ provider: string, domain: string, size: number, seconds: number }} parameters
 * @param {readonly [number, number]} cores
 * @param {number} deadline in milliseconds
 * @param {NodeJS.ProcessEnv} environment
 */
export async function runFiPingpong({ provider, domain, size, seconds }, cores, deadline, environment) {
  const [clientCore, serverCore] = cores;
  const port = nextPort++;
  const latency = provider === 'shm' ? EXPECTED_LATENCY.shm : EXPECTED_LATENCY.others;
  const iterations = Math.max(Math.round(seconds / latency / 2), 100);
  const common = [
    ...['fi_pingpong', '-p', provider, '-d', domain, '-e', 'rdm'],
    ...['-S', String(size), '-I', String(iterations)],
  ];
  const server = start(String(serverCore), [...common, '-B', String(port)], environment);
  const { child } = server;
  child.stdout.resume();
  const end = performance.now() + LISTEN_DEADLINE;
  while (!isListening(port) && child.exitCode === null && child.signalCode === null && performance.now() < end) {
    await delay(10);
  }

  const client = start(String(clientCore), [...common, '-P', String(port), '127.0.0.1'], environment);
  let output = '';
  client.child.stdout.on('data', (chunk) => (output += String(chunk)));
  await supervise([client, server], deadline, Promise.resolve());
  const mean = Number(output.trim().split('\n').at(-1)?.split(/\s+/)[6]);
  if (!(mean > 0)) throw new Error(`fi_pingpong has said no latency: ${output}`);
  return { client: [{ size, iterations, mean, megabytesPerSecond: size / mean }], server: [] };
}

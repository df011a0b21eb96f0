/** Who is measured, and how to read what each prints. */
import { fileURLToPath } from 'node:url';
import { measure } from './processes.mjs';

/** @typedef {import('./cases.mjs').Case} Case */
/** @typedef {{ mean: number, p50?: number }} Latency one-way, in microseconds */

const cli = fileURLToPath(new URL('../dist/cli/fabric-pingpong.js', import.meta.url));

/**
 * Debian's C program, the reference. It knows averages only.
 * @param {Case} subject
 * @returns {Promise<Latency>}
 */
async function fiPingpong({ provider, domain, size, iterations }) {
  const common = ['-p', provider, '-d', domain, '-e', 'rdm', '-S', String(size), '-I', String(iterations)];
  const output = await measure(
    (port) => ['fi_pingpong', ...common, '-B', String(port)],
    (port) => ['fi_pingpong', ...common, '-P', String(port), '127.0.0.1'],
  );
  const columns = output.trim().split('\n').at(-1)?.split(/\s+/) ?? [];
  return { mean: Number(columns[6]) };
}

/** @param {'batch' | 'await'} door */
function fabricPingpong(door) {
  /**
   * @param {Case} subject
   * @returns {Promise<Latency>}
   */
  return async ({ provider, size, iterations }) => {
    const output = await measure(
      (port) => ['node', cli, 'serve', '--bind', '127.0.0.1', '--port', String(port)],
      (port) => [
        ...['node', cli, '127.0.0.1', '--port', String(port), '--json', '--door', door],
        ...['-p', provider, '--sizes', String(size), '--iters', String(iterations)],
      ],
    );
    /** @type {{ measurements: { latency: { mean: number, p50: number } }[] }} */
    const result = JSON.parse(output);
    const latency = result.measurements[0]?.latency;
    if (latency === undefined) throw new Error('fabric-pingpong measured nothing');
    return { mean: latency.mean, p50: latency.p50 };
  };
}

/** The reference first. @type {{ name: string, run: (subject: Case) => Promise<Latency> }[]} */
export const contenders = [
  { name: 'C fi_pingpong', run: fiPingpong },
  { name: 'batch door', run: fabricPingpong('batch') },
  { name: 'promise door', run: fabricPingpong('await') },
];

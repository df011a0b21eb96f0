/** Hosts with software EFA devices (test/softefa), and programs on them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';
import { CHECKOUT_IN_DEBIAN_13, startInDebian13 } from './debian-13.js';

const RUN = fileURLToPath(new URL('../softefa/run.sh', import.meta.url));
const LIBRARIES = fileURLToPath(new URL('../../build/softefa', import.meta.url));

/** Why there is no device. */
export const missingEfa = process.env['SOFTEFA_MISSING'];

/** What the processes of all hosts share. */
export const folder = process.env['SOFTEFA_DIR'] ?? '';

/** Starts a program on a host. */
export const startOnHost = (host: number, command: readonly string[], environment: NodeJS.ProcessEnv = {}): Child =>
  new Child(command.join(' '), RUN, [String(host), ...command], { SOFTEFA_LIBRARIES: LIBRARIES, ...environment });

/** Starts a program of Debian 13, with its own libfabric, on a host. */
export const startOnHostInDebian13 = (
  host: number,
  command: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Child =>
  startInDebian13(command, {
    SOFTEFA_HOST: String(host),
    SYSFS_PATH: `${folder}/host-${host}`,
    LD_LIBRARY_PATH: `${CHECKOUT_IN_DEBIAN_13}/build/softefa`,
    ...environment,
  });

/** What no EFA counts, of a device. */
export function statistic(host: number, name: string, device = 'rdmap0s6'): number {
  const lines = readFileSync(`${folder}/host-${host}/softefa/${device}`, 'utf8').split('\n');
  return Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length));
}

/** A counter of a device, as tools read it. */
export function counter(host: number, name: string, device = 'rdmap0s6'): number {
  const path = `${folder}/host-${host}/class/infiniband/${device}/ports/1/hw_counters/${name}`;
  return Number(readFileSync(path, 'utf8'));
}

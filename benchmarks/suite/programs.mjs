/** What can be run, by the names that the cases use. */
import { fileURLToPath } from 'node:url';
import { runFiPingpong } from './fi-pingpong.mjs';
import { environmentOf, findProvider } from './providers.mjs';
import { runAlone, runPair } from './processes.mjs';

/** @typedef {import('./types.js').Parameters} Parameters */
/** @typedef {import('./types.js').Phase} Phase */
/** @typedef {{ client: Phase[], server: Phase[] }} Measurement what each end has measured, phase by phase */
/** @typedef {{ ends: 'pair' | 'alone' | 'threads', command: string[] }} Program */

const START_UP_DEADLINE = 30_000;
/** What the slowest program still does in a second. */
const SLOWEST_RATE = 20_000;
/** A phase takes longer than it counts: warm-up, the fewest windows, the last message. */
const PHASE_DEADLINE = 10_000;

const path = (/** @type {string} */ file) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const reference = (/** @type {string} */ name) => [path(`build/reference/${name}`)];
const contender = (/** @type {string} */ name) => ['node', path(`benchmarks/contenders/${name}.mjs`)];
const peer = (/** @type {string} */ name) => ['node', path(`benchmarks/peers/${name}.mjs`)];
/** So that what is left is no garbage, nor the room that V8 takes for a young generation with time. */
const COLLECTED = ['--expose-gc', '--min-semi-space-size=1', '--max-semi-space-size=1'];
/** So much that the collector does not run while allocations are counted: in megabytes. */
const ROOMY_HEAP = ['--min-semi-space-size=256', '--max-semi-space-size=256'];

/** @type {Record<string, Program>} */
const programs = {
  'c-pingpong': { ends: 'pair', command: reference('pingpong') },
  'c-window': { ends: 'pair', command: reference('window') },
  'c-rma-write': { ends: 'pair', command: reference('rma_write') },
  'c-open-close': { ends: 'alone', command: reference('open_close') },
  'batch-pingpong': { ends: 'pair', command: contender('batch-pingpong') },
  'batch-window': { ends: 'pair', command: contender('batch-window') },
  'batch-window-roomy': { ends: 'pair', command: contender('batch-window').toSpliced(1, 0, ...ROOMY_HEAP) },
  'batch-window-collected': { ends: 'pair', command: contender('batch-window').toSpliced(1, 0, ...COLLECTED) },
  'batch-rma-write': { ends: 'pair', command: contender('batch-rma-write') },
  'await-pingpong': { ends: 'pair', command: contender('await-pingpong') },
  'await-window': { ends: 'pair', command: contender('await-window') },
  'await-window-collected': { ends: 'pair', command: contender('await-window').toSpliced(1, 0, ...COLLECTED) },
  footprint: { ends: 'alone', command: contender('footprint') },
  'open-close': { ends: 'alone', command: contender('open-close') },
  idle: { ends: 'pair', command: contender('idle') },
  'event-loop-delay': { ends: 'pair', command: contender('event-loop-delay') },
  peer: { ends: 'pair', command: peer('end') },
  'message-channel': { ends: 'threads', command: peer('message-channel') },
  'shared-memory': { ends: 'threads', command: peer('shared-memory') },
};

/**
 * Options of a command line. @param {Parameters} parameters
 * @returns {string[]}
 */
function argumentsOf({ fabric, ...others }) {
  const named = { ...(fabric !== undefined && findProvider(fabric)), ...others };
  return Object.entries(named).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/**
 * Runs a program once, in processes of its own.
 *
 * @param {string} name
 * @param {Parameters} parameters
 * @param {readonly [number, number]} cores for the client and the server
 * @returns {Promise<Measurement>}
 */
export async function runProgram(name, parameters, cores) {
  const { sizes = [64], seconds = 0, messages = 0 } = parameters;
  const deadline =
    START_UP_DEADLINE + sizes.length * (PHASE_DEADLINE + seconds * 2000) + (messages / SLOWEST_RATE) * 1000;
  const environment = environmentOf(parameters.fabric);
  if (name === 'fi_pingpong') {
    const [size = 64] = sizes;
    const { provider, domain } = findProvider(parameters.fabric ?? '');
    return runFiPingpong({ provider, domain, size, seconds }, cores, deadline, environment);
  }
  const program = programs[name];
  if (program === undefined) throw new TypeError(`program ${name} is none of ${Object.keys(programs).join(', ')}`);
  const command = [...program.command, ...argumentsOf(parameters)];
  if (program.ends === 'pair') return runPair(command, cores, deadline, environment);
  if (program.ends === 'alone') return runAlone(command, String(cores[0]), deadline, environment);
  // Its threads choose their cores.
  const list = cores.join(',');
  return runAlone([...command, '--cores', list], list, deadline, environment);
}

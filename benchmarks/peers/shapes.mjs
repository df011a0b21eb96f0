import * as pingpong from './pingpong.mjs';
import * as window from './window.mjs';

/** What can be measured over a connection. */
const shapes = { pingpong, window };

/**
 * Runs one end of every phase.
 *
 * @param {import('./connection.mjs').Connection} connection
 * @param {import('../contenders/options.mjs').Options} options
 */
export async function runPhases(connection, options) {
  if (!(options.shape in shapes))
    throw new Error(`--shape: ${options.shape} is none of ${Object.keys(shapes).join(', ')}`);
  const { runClient, runServer } = shapes[/** @type {keyof typeof shapes} */ (options.shape)];
  /** @type {unknown[]} */
  const phases = [];
  for (const size of options.sizes)
    phases.push(await (options.isClient ? runClient : runServer)(connection, options, size));
  return phases;
}

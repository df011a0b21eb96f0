import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './run.mjs';

/**
 * `prepare` fails, before anything is shown or done, if `make` cannot work on this machine.
 * @typedef {{
 *   title: string,
 *   isDone: () => boolean,
 *   prepare?: () => Promise<void>,
 *   make: () => Promise<void>,
 * }} Step
 */

/**
 * A step that is done when its outputs exist and were made from the inputs as they are now.
 * @param {object} step
 * @param {string} step.title
 * @param {string} step.name of its stamp file
 * @param {string[]} step.inputs files and folders, relative to the root
 * @param {() => string} [step.environment] what else the result depends on
 * @param {() => string[]} step.outputs files that must exist, relative to the root
 * @param {() => Promise<void>} step.make
 * @returns {Step}
 */
export function stamped({ title, name, inputs, environment = () => '', outputs, make }) {
  const stamp = join(root, 'build/stamps', name);

  function fingerprint() {
    const hash = createHash('sha256').update(environment());
    for (const file of inputs.flatMap((input) => filesUnder(input))) {
      hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
    }
    return hash.digest('hex');
  }

  return {
    title,
    isDone: () =>
      existsSync(stamp) &&
      outputs().every((file) => existsSync(join(root, file))) &&
      readFileSync(stamp, 'utf8') === fingerprint(),
    async make() {
      // taken before: what changes during the work makes the next set-up do it again
      const before = fingerprint();
      await make();
      mkdirSync(dirname(stamp), { recursive: true });
      writeFileSync(`${stamp}.new`, before);
      renameSync(`${stamp}.new`, stamp);
    },
  };
}

/**
 * @param {string} path a file or folder, which may be missing
 * @returns {string[]}
 */
function filesUnder(path) {
  const status = statSync(join(root, path), { throwIfNoEntry: false });
  if (status === undefined) return [];
  if (!status.isDirectory()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .flatMap((entry) => filesUnder(join(path, entry)));
}

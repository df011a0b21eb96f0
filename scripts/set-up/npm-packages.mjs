import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

/** @typedef {{ version?: string, optional?: boolean }} LockedPackage */

/**
 * The packages of a folder's lock file.
 * @param {object} step
 * @param {string} step.title
 * @param {string} step.folder relative to the root
 * @returns {import('./stamped.mjs').Step}
 */
export function npmPackages({ title, folder }) {
  return {
    title,
    isDone: () => isInstalledAsLocked(join(root, folder)),
    // --ignore-scripts: this package's own install script would compile the addon, in the wrong place; those of others
    // that are needed have their binaries in the package
    make: () =>
      run(
        `npm could not install the packages of ${join(folder, 'package-lock.json')}`,
        ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
        {},
        join(root, folder),
      ),
  };
}

/**
 * npm leaves a lock file of what it installed in node_modules; comparing it, rather than a stamp
 * of ours, also accepts a plain `npm install`.
 * @param {string} folder
 */
function isInstalledAsLocked(folder) {
  const wanted = readPackages(join(folder, 'package-lock.json'));
  const installed = readPackages(join(folder, 'node_modules/.package-lock.json'));
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' ||
      installed[path]?.version === version ||
      // optional packages of other platforms stay out
      (optional === true && installed[path] === undefined),
  );
}

/**
 * @param {string} lockFile
 * @returns {Record<string, LockedPackage>}
 */
function readPackages(lockFile) {
  try {
    /** @type {{ packages: Record<string, LockedPackage> }} */
    const { packages } = JSON.parse(readFileSync(lockFile, 'utf8'));
    return packages;
  } catch {
    return {};
  }
}

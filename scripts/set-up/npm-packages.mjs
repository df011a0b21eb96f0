import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

/** @typedef {{ version?: string, optional?: boolean }} LockedPackage */

/** @type {import('./stamped.mjs').Step} */
export const npmPackages = {
  title: 'installing npm packages',
  isDone: isInstalledAsLocked,
  // --ignore-scripts: this package's own install script would compile the addon, in the wrong place
  make: () =>
    run('npm could not install the packages of package-lock.json', [
      ...['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    ]),
};

/**
 * npm leaves a lock file of what it installed in node_modules; comparing it, rather than a stamp
 * of ours, also accepts a plain `npm install`.
 */
function isInstalledAsLocked() {
  const wanted = readPackages('package-lock.json');
  const installed = readPackages('node_modules/.package-lock.json');
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
    const { packages } = JSON.parse(readFileSync(join(root, lockFile), 'utf8'));
    return packages;
  } catch {
    return {};
  }
}

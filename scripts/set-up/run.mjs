import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's root folder, without a trailing slash. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

const tailLines = 40;

/** A failure that the user can act on: one sentence, and the end of what the failed command printed. */
export class SetUpError extends Error {
  /**
   * @param {string} message
   * @param {string} [output]
   */
  constructor(message, output = '') {
    super(message);
    this.output = output.trimEnd().split('\n').slice(-tailLines).join('\n');
  }
}

/**
 * Runs a command, found in node_modules/.bin or PATH, hiding its output unless it fails.
 * @param {string} sentence what to tell the user if it fails
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} [environment] added to this process's
 * @param {string} [folder] to run in
 * @returns {Promise<void>}
 */
export function run(sentence, command, environment = {}, folder = root) {
  const [file = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: folder,
      env: {
        ...process.env,
        PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text));
    }
    child.on('error', (error) => {
      reject(new SetUpError(sentence, error.message));
    });
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new SetUpError(sentence, output));
    });
  });
}

/**
 * @param {string} name
 * @param {string[]} [alsoIn] folders to search after those of PATH
 */
export function isInstalled(name, alsoIn = []) {
  return [...(process.env['PATH'] ?? '').split(delimiter), ...alsoIn].some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * `npm run bench:profile`: how many instructions a message takes, and whose: of JavaScript, of Node, of the addon, of
 * libfabric. Two endpoints of one process send each other messages under valgrind's callgrind, some and twice as many; the
 * difference is what messages cost. Counts do not depend on what else the machine does.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { findProvider } from './suite/providers.mjs';

/** Enough for V8 to have compiled everything for good. */
const MESSAGES = 250_000;

const path = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
// One thread: others would compile and collect beside it, now more, now less.
const NODE = ['node', '--single-threaded', path('contenders/one-process.mjs')];
const PROGRAMS = [
  { name: 'C', command: [path('../build/reference/one_process')] },
  { name: 'batch', command: [...NODE, '--what', 'batch'] },
  { name: 'await', command: [...NODE, '--what', 'await'] },
];
const FABRICS = ['shm', 'net', 'rxm'];

/** Who an instruction belongs to, by the file it was loaded from. @param {string} file */
function ownerOf(file) {
  if (file.endsWith('/node')) return 'Node';
  if (file.endsWith('.node')) return 'addon';
  if (file.includes('libfabric.so')) return 'libfabric';
  if (file.endsWith('/one_process')) return 'C program';
  // V8 compiles to memory.
  return file === '???' ? 'JavaScript' : 'system libraries';
}

/**
 * The instructions of a run, by who they belong to.
 *
 * @param {readonly string[]} command
 * @param {string} output where callgrind writes
 * @returns {Map<string, number>}
 */
function countInstructions(command, output) {
  execFileSync('valgrind', ['--tool=callgrind', `--callgrind-out-file=${output}`, ...command], { stdio: 'pipe' });
  return readCallgrind(readFileSync(output, 'latin1'));
}

/** @param {string} text of callgrind's own format: an object file, then its functions, then a line for each place and its cost */
function readCallgrind(text) {
  /** @type {Map<string, string>} */
  const files = new Map();
  /** @type {Map<string, number>} */
  const counts = new Map();
  let owner = '';
  let isCall = false;
  for (const line of text.split('\n')) {
    const [, kind = '', id = '', name = ''] = /^(ob|cob)=\((\d+)\)(?: (.*))?$/.exec(line) ?? [];
    if (kind !== '') {
      if (name !== '') files.set(id, name);
      if (kind === 'ob') owner = ownerOf(files.get(id) ?? '');
    } else if (line.startsWith('calls=')) {
      isCall = true;
    } else if (/^[\d+*-]/.test(line)) {
      // After a call comes what the function called has cost, which is counted there.
      if (!isCall) counts.set(owner, (counts.get(owner) ?? 0) + Number(line.split(' ')[1]));
      isCall = false;
    }
  }
  return counts;
}

const OWNERS = ['C program', 'JavaScript', 'Node', 'addon', 'libfabric', 'system libraries'];
const table = new Table({
  head: ['fabric', 'door', ...OWNERS, 'all'],
  colAligns: ['left', 'left', ...OWNERS.map(() => /** @type {const} */ ('right')), 'right'],
  style: { head: [], border: [] },
});
const folder = mkdtempSync(join(tmpdir(), 'node-libfabric-profile-'));
try {
  for (const fabric of FABRICS) {
    const { provider, domain } = findProvider(fabric);
    const where = ['--provider', provider, '--domain', domain, '--sizes', '64', '--messages'];
    for (const { name, command } of PROGRAMS) {
      process.stderr.write(`profile: ${fabric}, ${name} …\n`);
      const [some = new Map(), twice = new Map()] = [MESSAGES, 2 * MESSAGES].map((messages) =>
        countInstructions([...command, ...where, String(messages)], join(folder, 'callgrind')),
      );
      const each = OWNERS.map((owner) => ((twice.get(owner) ?? 0) - (some.get(owner) ?? 0)) / MESSAGES);
      const all = each.reduce((sum, count) => sum + count, 0);
      table.push([fabric, name, ...each.map((count) => count.toFixed(0)), all.toFixed(0)]);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(table.toString());

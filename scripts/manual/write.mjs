// Writes the manual pages and the completions of a compiled package into it: `node scripts/manual/write.mjs dist`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from '../set-up/run.mjs';
import { bashCompletion, fishCompletion, zshCompletion } from './completions.mjs';
import { manPage } from './man-page.mjs';
import { readPrograms } from './programs.mjs';

const dist = resolve(process.argv[2] ?? 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const programs = await readPrograms(dist);

/** @type {Record<string, string>} */
const files = {
  'completions/fabric.bash': bashCompletion(programs),
  'completions/_fabric': zshCompletion(programs),
  'completions/fabric.fish': fishCompletion(programs),
};
for (const program of programs) {
  const others = programs.map(({ name }) => name).filter((name) => name !== program.name);
  files[`man/${program.name}.1`] = manPage(program, { version, others });
}
for (const folder of ['completions', 'man']) mkdirSync(join(dist, folder), { recursive: true });
for (const [file, text] of Object.entries(files)) writeFileSync(join(dist, file), text);

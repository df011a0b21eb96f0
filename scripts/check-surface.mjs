// Compares three things: the functions of libfabric's headers, those that the addon calls (the C prototypes in
// native/), and what docs/surface.md says. Fails on any drift; --write brings the page up to date, keeping what it says
// of functions that are not called. --page <path> checks another copy of the page.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findLibfabricHeaders } from './libfabric-headers.mjs';
import { root } from './set-up/run.mjs';
import { headerFunctions } from './surface/headers.mjs';
import { nativeFunctions } from './surface/native.mjs';
import { newer, readEntries, writeTables } from './surface/page.mjs';
import { publicReach } from './surface/typescript.mjs';

/** @typedef {import('./surface/page.mjs').Row} Row */

const { values } = parseArgs({
  options: { write: { type: 'boolean' }, page: { type: 'string', default: join(root, 'docs/surface.md') } },
});
const functions = headerFunctions(findLibfabricHeaders() ?? '/usr/include');
const { exposed, called, problems } = nativeFunctions(join(root, 'native'), functions);
const { reach, isPublic } = publicReach(join(root, 'lib'));
const current = readFileSync(values.page, 'utf8');
const entries = readEntries(current);

// Headers that are newer than 1.17's have both kinds.
for (const { name } of newer.functions) functions.delete(name);
const rows = [...functions.values(), ...newer.functions].map(describe);
for (const name of entries.keys()) {
  if (!rows.some((row) => row.name === name)) problems.push(`docs/surface.md: no header has ${name}`);
}
const old = rows.filter(({ since }) => since === undefined);
const covered = old.filter(({ name, names }) => !exposed.has(name) && names.length > 0).length;
const direct = old.filter(({ name }) => exposed.has(name)).length;
const newly = rows.filter(({ since, names }) => since !== undefined && names.length > 0).length;
const summary =
  `exposed ${direct + covered} of ${old.length}: ${direct} called, ${covered} covered by another call; ` +
  `newer than 1.17: ${newly} of ${newer.functions.length}`;

const wanted = await writeTables(current, summary, rows);
if (values.write) writeFileSync(values.page, wanted);
else if (wanted !== current) problems.push('docs/surface.md is out of date: npm run surface -- --write');

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`${summary}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

/**
 * @param {{ name: string, header: string, since?: string }} function_
 * @returns {Row}
 */
function describe({ name, header, since }) {
  const fixed = { name, header, ...(since === undefined ? {} : { since }) };
  if (exposed.has(name)) {
    const names = reach(name);
    if (names.length === 0) problems.push(`${name} is called, but no public member of lib/ names it`);
    return { ...fixed, names, note: '' };
  }
  const { names = [], note = '' } = entries.get(name) ?? {};
  if (note === '') problems.push(`docs/surface.md: say how ${name} is covered, or why it is not exposed`);
  for (const member of names) {
    if (!isPublic(member)) problems.push(`docs/surface.md: ${name} is covered by ${member}, which is no public name`);
  }
  for (const [other] of names.length > 0 ? note.matchAll(/\bfi_\w+/g) : []) {
    if (!called.has(other)) problems.push(`docs/surface.md: ${name} is covered through ${other}, which nothing calls`);
  }
  return { ...fixed, names, note };
}

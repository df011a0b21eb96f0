// What the addon exposes: each native function carries the C prototype of the call that it makes.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { squeeze } from './headers.mjs';

/** @typedef {import('./headers.mjs').HeaderFunction} HeaderFunction */

/** A type, a name of libfabric's and an opening parenthesis: somebody means a prototype. */
const MEANT = /(?:\w+_t|int|char|void|struct fi_info) \*?(fi_\w+)\(/g;

/**
 * @param {string} folder of native sources
 * @param {Map<string, HeaderFunction>} functions
 * @returns {{ exposed: Set<string>, called: Set<string>, problems: string[] }} `exposed`: called by a function of the addon
 */
export function nativeFunctions(folder, functions) {
  const sources = readdirSync(folder)
    .filter((file) => /\.(cc|h)$/.test(file))
    .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') }));
  const code = sources.map(({ text }) => text.replace(/\/\/.*/g, '')).join('\n');
  const called = new Set([...code.matchAll(/\b(fi_\w+)\(/g)].map(([, name = '']) => name));
  const exposed = new Set();
  const problems = [];
  for (const { file, text } of sources) {
    for (const comment of comments(text)) {
      for (const [, name = ''] of comment.matchAll(MEANT)) {
        const known = functions.get(name);
        if (known === undefined) problems.push(`native/${file}: no header has ${name}`);
        else if (!squeeze(comment).includes(squeeze(known.prototype))) {
          problems.push(`native/${file}: ${known.header} has: ${known.prototype}`);
        } else if (called.has(name)) exposed.add(name);
        else problems.push(`native/${file}: has the prototype of ${name} but nothing calls it`);
      }
    }
  }
  return { exposed, called, problems };
}

/**
 * Neighbouring comment lines as one, since the formatter breaks prototypes.
 * @param {string} text
 */
function comments(text) {
  return (text.match(/(?:^[ \t]*\/\/.*\n)+/gm) ?? []).map((block) => block.replace(/\n?[ \t]*\/\/ ?/g, ' '));
}

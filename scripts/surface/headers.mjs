// The public functions of libfabric's headers, with their prototypes.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ name: string, prototype: string, header: string }} HeaderFunction */

/** What starts with `fi_` in the folder and is libfabric's; the folder has the verbs headers too. */
const isLibfabric = (/** @type {string} */ file) => /^(fabric|fi_\w+)\.h$/.test(file);

/** `fi_name(…)` with its return type, up to the body or the semicolon. */
const DEFINITION = /(?<=^|[;}])([\w\s*]*?\bfi_\w+\s*\([^(){};]*\))(?=\s*[{;])/g;
/** What says how a function is linked and not what it is. */
const LINKAGE = /\b(static|inline|extern|FI_DEPRECATED_FUNC)\b/g;

/** @param {string} text */
export const squeeze = (text) => text.replace(/\s+/g, '');

/**
 * @param {string} folder the one that holds rdma/
 * @returns {Map<string, HeaderFunction>} by name, in the order of the headers
 */
export function headerFunctions(folder) {
  /** @type {Map<string, HeaderFunction>} */
  const functions = new Map();
  for (const header of readdirSync(join(folder, 'rdma')).filter(isLibfabric).sort()) {
    for (const found of declarations(readFileSync(join(folder, 'rdma', header), 'utf8'))) {
      const prototype = found.replace(LINKAGE, '').replace(/\s+/g, ' ').trim();
      const name = /\b(fi_\w+) ?\(/.exec(prototype)?.[1];
      if (name !== undefined) functions.set(name, { name, prototype, header });
    }
  }
  return functions;
}

/** @param {string} source */
function declarations(source) {
  const code = source
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/\/\/.*/g, '')
    .replace(/^\s*#(.*\\\n)*.*$/gm, '')
    .replace(/extern "C" \{/g, ';');
  return [...outsideBodies(code).matchAll(DEFINITION)].map(([, text]) => text ?? '');
}

/**
 * Empties what is inside braces, where a call would look like a declaration.
 * @param {string} code
 */
function outsideBodies(code) {
  let depth = 0;
  let kept = '';
  for (const character of code) {
    if (character === '}') depth--;
    if (depth === 0) kept += character;
    if (character === '{') depth++;
  }
  // after a body the next declaration begins; overlapping matches would miss it
  return kept.replaceAll('{}', '{\n;');
}

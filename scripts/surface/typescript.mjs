// Where the public TypeScript reaches a libfabric call: the members whose documentation or code name it.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import typescript from 'typescript';

/** @typedef {{ name: string, text: string, documentation: string }} Member */

/**
 * @param {string} folder lib/
 * @returns {{ reach: (name: string) => string[], isPublic: (name: string) => boolean }} the public names that reach a C
 * function, best first; and whether there is a public name, such as `Endpoint.send`
 */
export function publicReach(folder) {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && file !== 'binding.ts')
    .map((file) => parse(join(folder, file)));
  const isExported = publicNames(parse(join(folder, 'index.ts')));
  const classes = files.flatMap((file) => file.statements.filter(typescript.isClassDeclaration));
  const members = files.flatMap((file) => [
    ...file.statements.filter(typescript.isFunctionDeclaration).flatMap((node) => functionMember(node, isExported)),
    ...file.statements
      .filter(typescript.isClassDeclaration)
      .flatMap((node) => membersOf(node, knownAs(node, classes, isExported))),
    ...file.statements
      .filter(typescript.isInterfaceDeclaration)
      .flatMap((node) => membersOf(node, isExported(node.name.text) ? node.name.text : undefined)),
  ]);
  // What a class says of itself counts where none of its members does.
  const wholes = classes.flatMap((node) => {
    const name = knownAs(node, classes, isExported);
    return name === undefined ? [] : [{ name, text: '', documentation: documentationOf(node) }];
  });
  const documenting = (/** @type {Member[]} */ among, /** @type {string} */ name) =>
    among.filter(({ documentation }) => documentation.includes(`${name}(3)`));
  return {
    reach(name) {
      const mentioned = members.filter(({ text }) => new RegExp(`\\b${name}\\b`).test(text));
      const best = [documenting(members, name), mentioned, documenting(wholes, name)].find(({ length }) => length > 0);
      return [...new Set(best?.map((member) => member.name))].slice(0, 3);
    },
    isPublic: (name) => members.some((member) => member.name === name),
  };
}

/** @param {string} path */
const parse = (path) =>
  typescript.createSourceFile(path, readFileSync(path, 'utf8'), typescript.ScriptTarget.ES2022, true);

/** @param {typescript.SourceFile} index */
function publicNames(index) {
  const names = new Set([...index.text.matchAll(/\b[A-Za-z]\w+\b/g)].map(([name]) => name));
  return (/** @type {string} */ name) => names.has(name);
}

/**
 * The public class that a class is, or is a part of: `Endpoint` for what it extends. Of several, the one with the shortest
 * name, which is the general one.
 * @param {typescript.ClassDeclaration} node
 * @param {typescript.ClassDeclaration[]} classes
 * @param {(name: string) => boolean} isExported
 * @returns {string | undefined}
 */
function knownAs(node, classes, isExported) {
  const name = node.name?.text ?? '';
  if (isExported(name)) return name;
  const [shortest] = classes
    .filter(({ heritageClauses }) =>
      heritageClauses?.some(({ types }) => types.some(({ expression }) => expression.getText() === name)),
    )
    .flatMap((child) => knownAs(child, classes, isExported) ?? [])
    .sort((one, other) => one.length - other.length);
  return shortest;
}

/**
 * @param {typescript.FunctionDeclaration} node
 * @param {(name: string) => boolean} isExported
 * @returns {Member[]}
 */
function functionMember(node, isExported) {
  const name = node.name?.text ?? '';
  return isExported(name) ? [{ name, text: node.getFullText(), documentation: documentationOf(node) }] : [];
}

/**
 * @param {typescript.ClassDeclaration | typescript.InterfaceDeclaration} node
 * @param {string | undefined} owner
 * @returns {Member[]}
 */
function membersOf(node, owner) {
  if (owner === undefined) return [];
  return node.members.flatMap((member) => {
    const documentation = documentationOf(member);
    if (documentation.includes('@internal') || (member.name && typescript.isPrivateIdentifier(member.name))) return [];
    const name = typescript.isConstructorDeclaration(member) ? `new ${owner}` : `${owner}.${member.name?.getText()}`;
    return [{ name, text: member.getFullText(), documentation }];
  });
}

/** @param {typescript.Node} node */
const documentationOf = (node) =>
  typescript
    .getJSDocCommentsAndTags(node)
    .map((comment) => comment.getText())
    .join('\n');

// Where the public TypeScript reaches a libfabric call: the members whose documentation or code name it.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import typescript from 'typescript';

/** @typedef {{ name: string, text: string, documentation: string }} Member */

/**
 * @param {string} folder lib/
 * @returns {(name: string) => string[]} the public names that reach a C function, best first
 */
export function publicReach(folder) {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && file !== 'binding.ts')
    .map((file) => parse(join(folder, file)));
  const isPublic = publicNames(parse(join(folder, 'index.ts')));
  const classes = files.flatMap((file) => file.statements.filter(typescript.isClassDeclaration));
  const members = files.flatMap((file) => [
    ...file.statements.filter(typescript.isFunctionDeclaration).flatMap((node) => functionMember(node, isPublic)),
    ...file.statements
      .filter(typescript.isClassDeclaration)
      .flatMap((node) => membersOf(node, knownAs(node, classes, isPublic))),
    ...file.statements
      .filter(typescript.isInterfaceDeclaration)
      .flatMap((node) => membersOf(node, isPublic(node.name.text) ? node.name.text : undefined)),
  ]);
  return (name) => {
    const documented = members.filter(({ documentation }) => documentation.includes(`${name}(3)`));
    const mentioned = members.filter(({ text }) => new RegExp(`\\b${name}\\b`).test(text));
    return [...new Set((documented.length > 0 ? documented : mentioned).map((member) => member.name))].slice(0, 3);
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
 * The public class that a class is, or is a part of: `Endpoint` for what it extends.
 * @param {typescript.ClassDeclaration} node
 * @param {typescript.ClassDeclaration[]} classes
 * @param {(name: string) => boolean} isPublic
 * @returns {string | undefined}
 */
function knownAs(node, classes, isPublic) {
  const name = node.name?.text ?? '';
  if (isPublic(name)) return name;
  const child = classes.find(({ heritageClauses }) =>
    heritageClauses?.some(({ types }) => types.some(({ expression }) => expression.getText() === name)),
  );
  return child && knownAs(child, classes, isPublic);
}

/**
 * @param {typescript.FunctionDeclaration} node
 * @param {(name: string) => boolean} isPublic
 * @returns {Member[]}
 */
function functionMember(node, isPublic) {
  const name = node.name?.text ?? '';
  return isPublic(name) ? [{ name, text: node.getFullText(), documentation: documentationOf(node) }] : [];
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

/** The programs of this package, as the definitions of their command lines say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../set-up/run.mjs';

/**
 * What an option or argument takes: some words, a file, a host, or anything else.
 * @typedef {{ name: string, words: string[], isFile: boolean, isHost: boolean }} Value
 * @typedef {{ flags: string[], term: string, text: string, value: Value | undefined }} Option
 *
 * A way to call a program that has options of its own: where the command line has these words.
 * @typedef {{
 *   words: string,
 *   synopsis: string[],
 *   description: string,
 *   arguments: { term: string, text: string }[],
 *   options: Option[],
 *   operands: Value,
 *   notes: string[],
 *   exitCodes: [string, string][],
 * }} Mode
 * @typedef {{ name: string, modes: Mode[], examples: string }} Program
 */

/**
 * @param {string} dist the compiled package
 * @returns {Promise<Program[]>}
 */
export async function readPrograms(dist) {
  /**
   * @param {string} file
   * @param {string} maker exported by it
   * @returns {Promise<import('commander').Command>}
   */
  const load = async (file, maker) => {
    /** @type {Record<string, () => import('commander').Command>} */
    const module = await import(pathToFileURL(join(dist, 'cli', file)).href);
    return /** @type {() => import('commander').Command} */ (module[maker])();
  };
  return [
    readProgram('fabric-pingpong', [
      ['', await load('arguments.js', 'makePingpongCommand')],
      ['compare', await load('compare-command.js', 'makeCompareCommand')],
      ['--compat fi_pingpong', await load('compat-arguments.js', 'makeCompatCommand')],
      ['--compat fabtests', await load('compat-arguments.js', 'makeFabtestsCommand')],
    ]),
    readProgram('fabric-info', [['', await load('info-arguments.js', 'makeInfoCommand')]]),
    readProgram('fabric-doctor', [['', await load('doctor-arguments.js', 'makeDoctorCommand')]]),
  ];
}

/**
 * @param {string} name
 * @param {[string, import('commander').Command][]} commands
 * @returns {Program}
 */
function readProgram(name, commands) {
  const modes = commands.map(([words, command]) => readMode(words, command));
  // the words of other ways to call it are operands of the first
  modes[0]?.operands.words.push(...modes.flatMap(({ words }) => (/^\w/.test(words) ? [words] : [])));
  const guide = readFileSync(join(root, `docs/${name}.md`), 'utf8');
  return { name, modes, examples: /```sh\n(.*?)```/s.exec(guide)?.[1] ?? '' };
}

/**
 * @param {string} words
 * @param {import('commander').Command} command
 * @returns {Mode}
 */
function readMode(words, command) {
  const help = command.createHelp();
  const operands = command.registeredArguments.map((argument) => readValue(argument.name(), argument.argChoices));
  return {
    words,
    synopsis: help
      .commandUsage(command)
      .split('\n')
      .map((line) => line.trim()),
    description: help.commandDescription(command),
    arguments: help
      .visibleArguments(command)
      .map((argument) => ({ term: help.argumentTerm(argument), text: help.argumentDescription(argument) })),
    options: help.visibleOptions(command).map((option) => ({
      flags: [option.short, option.long].filter((flag) => flag !== undefined),
      term: help.optionTerm(option),
      text: help.optionDescription(option),
      value: option.required || option.optional ? readValue(placeholder(option.flags), option.argChoices) : undefined,
    })),
    operands: {
      name: operands.map(({ name }) => name).join(' '),
      words: operands.flatMap((operand) => operand.words),
      isFile: operands.some(({ isFile }) => isFile),
      isHost: operands.some(({ isHost }) => isHost),
    },
    ...readAfterHelp(command),
  };
}

const placeholder = (/** @type {string} */ flags) => /[<[](.+?)(\.{3})?[>\]]/.exec(flags)?.[1] ?? '';

/**
 * The name of what has to be given says what may be: `local|serve|host`, `before.json`.
 * @param {string} name
 * @param {readonly string[] | undefined} choices
 * @returns {Value}
 */
function readValue(name, choices) {
  const parts = name.split('|').map((part) => part.replace(/\.{3}$/, ''));
  const isFile = parts.some((part) => /^(file|dir|bundle|.*\.(json|tar\.gz))$/.test(part));
  const isHost = parts.includes('host');
  const words =
    parts.length > 1 ? parts.filter((part) => /^\w+$/.test(part) && !/^(file|dir|bundle|host)$/.test(part)) : [];
  return { name, words: choices === undefined ? words : [...choices], isFile, isHost };
}

/**
 * What the help says below the options: paragraphs, and exit codes.
 * @param {import('commander').Command} command
 * @returns {{ notes: string[], exitCodes: [string, string][] }}
 */
function readAfterHelp(command) {
  let whole = '';
  command.configureOutput({ writeOut: (text) => (whole += text), getOutHelpWidth: () => 80 });
  command.outputHelp();
  const paragraphs = whole.slice(command.helpInformation().length).trim().split('\n\n');
  const isCodes = (/** @type {string} */ paragraph) => paragraph.startsWith('Exit codes:\n');
  const codes = paragraphs.filter(isCodes).join('\n');
  return {
    notes: paragraphs
      .filter((paragraph) => paragraph !== '' && !isCodes(paragraph))
      .map((text) => text.replace(/\n/g, ' ')),
    exitCodes: [...codes.matchAll(/^ +(\d+(?:, \d+)*) +(.+)$/gm)].map(([, code = '', text = '']) => [code, text]),
  };
}

/** Completions for bash, zsh and fish. */

/**
 * @typedef {import('./programs.mjs').Mode} Mode
 * @typedef {import('./programs.mjs').Program} Program
 * @typedef {import('./programs.mjs').Value} Value
 */

const NOTICE = '# Made from the definitions of the command lines by scripts/manual.';

/** The ways to call a program, the special ones first. @param {Program} program */
const specialFirst = ({ modes }) => [...modes].reverse();

/** @param {string} name */
const functionName = (name) => `_${name.replace(/-/g, '_')}`;

/** @param {string} text */
const quote = (text) => `'${text.replace(/'/g, "'\\''")}'`;

/** A pattern of case for a command line with these words, which may be one with `=`. @param {string} words */
const pattern = (words, separator = ' = ') =>
  words === ''
    ? '*'
    : [...new Set([words, words.replace(' ', separator)])].map((text) => `*${quote(` ${text} `)}*`).join('|');

/** @param {Program[]} programs */
export const bashCompletion = (programs) => `${NOTICE}\n${programs.map(bashFunction).join('')}`;

/** @param {Program} program */
function bashFunction(program) {
  const name = functionName(program.name);
  return `
${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  # bash makes three words of --option=value
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case " \${COMP_WORDS[*]:1:COMP_CWORD-1} " in
${specialFirst(program)
  .map((mode) => `    ${pattern(mode.words)})\n      case $previous in\n${bashCases(mode)}      esac\n      ;;\n`)
  .join('')}  esac
}
complete -F ${name} ${program.name}
`;
}

/** @param {Mode} mode */
function bashCases({ options, operands }) {
  const answer = (/** @type {Value} */ { words, isFile, isHost }) => {
    const actions = [...(isFile ? ['-f'] : []), ...(isHost ? ['-A hostname'] : [])];
    const list = words.length > 0 ? [`-W ${quote(words.join(' '))}`] : [];
    const generated = `COMPREPLY=($(compgen ${[...actions, ...list].join(' ')} -- "$current"))`;
    if (actions.length + list.length === 0) return ':';
    return isFile ? `${generated} && compopt -o filenames` : generated;
  };
  const flags = options.flatMap((option) => option.flags).join(' ');
  return [
    ...options.flatMap((option) =>
      option.value === undefined ? [] : [`        ${option.flags.join('|')}) ${answer(option.value)} ;;\n`],
    ),
    '        *)\n',
    `          if [[ $current == -* ]]; then COMPREPLY=($(compgen -W ${quote(flags)} -- "$current"));\n`,
    `          else ${answer(operands)}; fi ;;\n`,
  ].join('');
}

/** @param {Program[]} programs */
export function zshCompletion(programs) {
  const names = programs.map(({ name }) => name).join(' ');
  return `#compdef ${names}
${NOTICE}
${programs.map(zshFunction).join('')}
_fabric() {
  case $service in
${programs.map(({ name }) => `    ${name}) ${functionName(name)} ;;\n`).join('')}  esac
}

# autoloaded from a folder of fpath, or sourced
if [[ $funcstack[1] == _fabric ]]; then _fabric "$@"; else compdef _fabric ${names}; fi
`;
}

/** @param {Program} program */
const zshFunction = (program) => `
${functionName(program.name)}() {
  case " \${(j: :)words[2,CURRENT-1]} " in
${specialFirst(program)
  .map(
    (mode) =>
      `    ${pattern(mode.words, '=')})\n      _arguments -s ${zshSpecs(mode).join(' \\\n        ')}\n      ;;\n`,
  )
  .join('')}  esac
}
`;

/** @param {Mode} mode */
function zshSpecs({ options, operands }) {
  const text = (/** @type {string} */ words) => words.replace(/[[\]:\\]/g, '\\$&');
  const action = (/** @type {Value} */ { words, isFile, isHost }) => {
    const actions = [
      ...(words.length > 0 ? [`choices:choice:(${words.join(' ')})`] : []),
      ...(isFile ? ['files:file:_files'] : []),
      ...(isHost ? ['hosts:host:_hosts'] : []),
    ];
    if (actions.length > 1) return `_alternative ${actions.map((one) => `"${one}"`).join(' ')}`;
    return actions[0]?.replace(/^\w+:\w+:/, '') ?? '';
  };
  const message = (/** @type {Value} */ value) => `:${text(value.name)}:${action(value)}`;
  return [
    ...options.map(({ flags, text: description, value }) => {
      const tail = `[${text(description)}]${value === undefined ? '' : message(value)}`;
      // --option=value, and --option value
      const forms = flags.map((flag) => (value !== undefined && flag.startsWith('--') ? `${flag}=` : flag));
      const only = `(${flags.join(' ')})`;
      return forms.length > 1 ? `${quote(only)}{${forms.join(',')}}${quote(tail)}` : quote(`${forms[0]}${tail}`);
    }),
    ...(operands.name === '' ? [] : [quote(`*${message(operands)}`)]),
  ];
}

/** @param {Program[]} programs */
export const fishCompletion = (programs) => `${NOTICE}\n${programs.map(fishLines).join('')}`;

/** @param {Program} program */
function fishLines(program) {
  const expression = (/** @type {string} */ words) => ` ${words.replace(' ', '[ =]')} `;
  const matches = (/** @type {string} */ words) => `string match -qr -- '${words}' (commandline -cp)`;
  const special = program.modes.map(({ words }) => words).filter((words) => words !== '');
  const all = special.map(expression).join('|');
  return program.modes
    .map((mode) => {
      const condition = mode.words === '' ? (all === '' ? '' : `not ${matches(all)}`) : matches(expression(mode.words));
      const start = `complete -c ${program.name}${condition === '' ? '' : ` -n ${fishQuote(condition)}`}`;
      const { operands, options } = mode;
      return [
        '',
        // files only where they are of use
        ...(operands.isFile ? [] : [`${start} -f`]),
        ...(operands.words.length > 0 ? [`${start} -a ${fishQuote(operands.words.join(' '))}`] : []),
        ...(operands.isHost ? [`${start} -a '(__fish_print_hostnames)'`] : []),
        ...options.map(
          ({ flags, text, value }) =>
            `${start}${flags.map(fishFlag).join('')}${fishValue(value)} -d ${fishQuote(text)}`,
        ),
        '',
      ].join('\n');
    })
    .join('');
}

/** @param {string} flag */
const fishFlag = (flag) => (flag.startsWith('--') ? ` -l ${flag.slice(2)}` : ` -s ${flag.slice(1)}`);

/** @param {Value | undefined} value */
function fishValue(value) {
  if (value === undefined) return '';
  if (value.isFile) return ' -r -F';
  if (value.isHost) return " -x -a '(__fish_print_hostnames)'";
  return value.words.length > 0 ? ` -x -a ${fishQuote(value.words.join(' '))}` : ' -x';
}

/** @param {string} text */
const fishQuote = (text) => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** Manual pages, in the macros of man(7). */

/**
 * @param {import('./programs.mjs').Program} program
 * @param {{ version: string, others: string[] }} more
 */
export function manPage({ name, modes, examples }, { version, others }) {
  const [main, ...further] = modes;
  if (main === undefined) throw new Error(`${name} has no way to be called`);
  const lines = [
    `.TH ${escape(name.toUpperCase())} 1 "" "node\\-libfabric ${version}" "User Commands"`,
    '.SH NAME',
    `${escape(name)} \\- ${escape(summary(main.description))}`,
    '.SH SYNOPSIS',
    '.nf',
    ...main.synopsis.map(usage),
    '.fi',
    '.SH DESCRIPTION',
    escape(main.description),
    ...main.notes.flatMap((note) => ['.PP', escape(note)]),
    ...(main.arguments.length > 0 ? ['.SH ARGUMENTS', ...list(main.arguments)] : []),
    '.SH OPTIONS',
    ...list(main.options),
    ...further.flatMap(({ words, synopsis, description, options, notes }) => [
      `.SH "WITH ${escape(words.toUpperCase())}"`,
      '.nf',
      ...synopsis.map(usage),
      '.fi',
      '.PP',
      escape(description),
      ...notes.flatMap((note) => ['.PP', escape(note)]),
      ...list(options),
    ]),
    '.SH EXIT STATUS',
    ...main.exitCodes.flatMap(([code, text]) => ['.TP', `.B ${code}`, escape(text)]),
    '.SH EXAMPLES',
    '.nf',
    ...examples.trimEnd().split('\n').map(escape),
    '.fi',
    '.SH SEE ALSO',
    [...others, 'fi_info', 'fi_pingpong'].map((page) => `.BR ${escape(page)} (1),`).join('\n'),
    '.BR fi_getinfo (3),',
    '.BR fabric (7)',
  ];
  return `${lines.join('\n')}\n`;
}

/** @param {string} description */
const summary = (description) => description.replace(/\.$/, '').replace(/^./, (letter) => letter.toLowerCase());

/** @param {{ term: string, text: string }[]} entries */
const list = (entries) => entries.flatMap(({ term, text }) => ['.TP', usage(term), escape(text)]);

/**
 * What is typed in bold, what stands for something in italics.
 * @param {string} text
 */
function usage(text) {
  return text
    .split(/(<[^>]*>|\[[^\]]*\])/)
    .filter((part) => part !== '')
    .map((part) => (/^[<[]/.test(part) ? `\\fI${escape(part)}\\fR` : `\\fB${escape(part)}\\fR`))
    .join('');
}

/** @param {string} text */
const escape = (text) =>
  text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/, '\\&$1');

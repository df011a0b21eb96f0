import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Child } from './helpers/child.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Program {
  readonly file: string;
  readonly line: number;
  readonly code: string;
  /** What the page says that it prints, where it says so. */
  readonly output: string | undefined;
}

/**
 * The blocks of JavaScript that a page promises to work: those after a comment that says who runs them. A block of text
 * after "It prints:" is held to that.
 */
function programsOf(file: string): Program[] {
  const page = readFileSync(join(ROOT, file), 'utf8');
  const blocks = page.matchAll(
    /^<!-- run by [^\n]* -->\n+```js\n([^]*?)^```$(?:\n+It prints:\n+```text\n([^]*?)^```$)?/gm,
  );
  return [...blocks].map(({ 1: code, 2: output, index }) => ({
    file,
    line: page.slice(0, index).split('\n').length,
    code: code!,
    output,
  }));
}

const guides = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));
const readme = programsOf('README.md');
const programs = [...readme, ...guides.flatMap(programsOf)];

// below the root, where 'node-libfabric' is this package: dist, as users have it
mkdirSync(join(ROOT, 'build'), { recursive: true });
const folder = mkdtempSync(join(ROOT, 'build/readme-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function run({ file, line, code }: Program): Child {
  const program = join(folder, `${file.replaceAll('/', '-')}-${line}.mjs`);
  writeFileSync(program, code);
  return new Child(`the program in line ${line} of ${file}`, process.execPath, [program], {});
}

describe('the pages', () => {
  it('have programs, one of them in README.md', () => {
    expect(readme).toHaveLength(1);
    const promises = ['README.md', ...guides].map(
      (file) => readFileSync(join(ROOT, file), 'utf8').split('<!-- run by ').length - 1,
    );
    expect(programs, 'a comment is not followed by a block of js').toHaveLength(promises.reduce((a, b) => a + b));
  });

  it.each(programs)('have a program that runs: $file:$line', async (program) => {
    await using child = run(program);
    const { code, signal, stdout, stderr } = await child.ended();
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    if (program.output !== undefined) expect(stdout).toBe(program.output);
  });

  it('have one in README.md that says hello', async () => {
    await using child = run(readme[0]!);
    const { stdout } = await child.ended();
    const [choice, message, ...rest] = stdout.trimEnd().split('\n');
    expect(choice).toMatch(/^\S+: \S+ .+/);
    expect([message, ...rest]).toEqual(['hello, fabric']);
  });
});

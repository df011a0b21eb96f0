import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { makePingpongCommand } from '../../lib/cli/arguments.js';
import { makeCompareCommand } from '../../lib/cli/compare-command.js';
import { makeCompatCommand, makeFabtestsCommand } from '../../lib/cli/compat-arguments.js';
import { makeDoctorCommand } from '../../lib/cli/doctor-arguments.js';
import { EXIT_CODES } from '../../lib/cli/exit-codes.js';
import { makeInfoCommand } from '../../lib/cli/info-arguments.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { man } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { man: string[] };
const completion = (file: string): string => `${ROOT}dist/completions/${file}`;

const PROGRAMS: Record<string, Command[]> = {
  'fabric-pingpong': [makePingpongCommand(), makeCompareCommand(), makeCompatCommand(), makeFabtestsCommand()],
  'fabric-info': [makeInfoCommand()],
  'fabric-doctor': [makeDoctorCommand()],
};

/** The options as --help says them: what is typed, and what it means. */
const optionsOf = (command: Command): string[][] => {
  const help = command.createHelp();
  return help.visibleOptions(command).map((option) => [help.optionTerm(option), help.optionDescription(option)]);
};

/** Without the macros and fonts of roff. */
const plain = (line: string): string =>
  line
    .replace(/\\f[BIR]/g, '')
    .replace(/\\&/g, '')
    .replace(/\\-/g, '-');

const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;
const unless = (program: string): string => (has(program) ? '' : ` (skipped: there is no ${program})`);

describe.each(Object.entries(PROGRAMS))('the manual page of %s', (name, commands) => {
  const file = `${ROOT}dist/man/${name}.1`;
  const page = readFileSync(file, 'utf8').split('\n').map(plain);

  it('has the options of --help, each with the same words, in the same order', () => {
    const start = page.indexOf('.SH OPTIONS');
    const end = page.indexOf('.SH EXIT STATUS');
    const entries = page.flatMap((line, index) =>
      line === '.TP' && index > start && index < end ? [[page[index + 1], page[index + 2]]] : [],
    );
    expect(entries).toEqual(commands.flatMap(optionsOf));
  });

  it('has an exit status for each code, and is part of the package', () => {
    const help = spawnSync(process.execPath, [`${ROOT}dist/cli/${name}.js`, '--help'], { encoding: 'utf8' }).stdout;
    const codes = [...help.matchAll(/^ {2,}(\d+) {2}(.+)$/gm)].map(([, code, text]) => [`.B ${code}`, text]);
    const start = page.indexOf('.SH EXIT STATUS');
    const listed = page.flatMap((line, index) =>
      line === '.TP' && index > start ? [[page[index + 1], page[index + 2]]] : [],
    );
    expect(listed).toEqual(codes);
    expect(codes.length).toBeGreaterThan(3);
    expect(man).toContain(`./dist/man/${name}.1`);
  });

  it.skipIf(!has('man'))(`renders without a complaint${unless('man')}`, () => {
    const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', file], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80' },
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('SYNOPSIS');
    for (const [term = ''] of commands.flatMap(optionsOf)) expect(stdout).toContain(term);
  });
});

it('says the exit codes of fabric-pingpong as the code has them', () => {
  const page = readFileSync(`${ROOT}dist/man/fabric-pingpong.1`, 'utf8').split('\n').map(plain);
  for (const [code, text] of Object.entries(EXIT_CODES)) expect(page[page.indexOf(`.B ${code}`) + 1]).toBe(text);
});

/** What each line completes to. */
const LINES: [line: string[], proposals: string[]][] = [
  [
    ['fabric-pingpong', 'local', '--test', ''],
    ['lat', 'bw', 'bibw', 'rate'],
  ],
  [['fabric-pingpong', 'local', '--test', '=', 'l'], ['lat']],
  [['fabric-pingpong', 'local', '--iters', ''], []],
  [['fabric-pingpong', 'compare', '--tol'], ['--tolerance']],
  [['fabric-pingpong', 'compare', 'package.j'], ['package.json']],
  [['fabric-pingpong', '--compat', 'fi_pingpong', '--classic-'], ['--classic-exit']],
  [['fabric-pingpong', '--compat', '=', 'fi_pingpong', '--win'], []],
  [
    ['fabric-pingpong', '--compat', ''],
    ['fi_pingpong', 'fabtests'],
  ],
  [['fabric-info', '--addr'], ['--addr_format']],
  [
    ['fabric-doctor', '--for', ''],
    ['libfabric', 'nccl', 'mpi'],
  ],
];

describe('completions', () => {
  it.skipIf(!has('bash'))(`of bash propose what fits${unless('bash')}`, () => {
    const script = `source ${completion('fabric.bash')}
      compopt() { :; }
      complete_words() {
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        "_\${1//-/_}"
        echo "\${COMPREPLY[*]}"
      }
      ${LINES.map(([line]) => `complete_words ${line.map((word) => `'${word}'`).join(' ')}`).join('\n')}`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { cwd: ROOT, encoding: 'utf8' });
    expect(stderr).toBe('');
    const answers = stdout.split('\n').slice(0, -1);
    expect(answers.map((line) => line.split(' ').filter(Boolean))).toEqual(LINES.map(([, proposals]) => proposals));
    const everything = spawnSync('bash', ['--norc', '-c', `source ${completion('fabric.bash')}; complete -p`], {
      encoding: 'utf8',
    });
    for (const name of Object.keys(PROGRAMS)) expect(everything.stdout).toContain(name);
  });

  it.each(['fabric.bash', '_fabric', 'fabric.fish'])('%s has every option', (file) => {
    const text = readFileSync(completion(file), 'utf8');
    for (const command of Object.values(PROGRAMS).flat()) {
      for (const { long, short } of command.createHelp().visibleOptions(command)) {
        for (const flag of [long, short].filter((found) => found !== undefined)) {
          const inFish = flag.startsWith('--') ? ` -l ${flag.slice(2)} ` : ` -s ${flag.slice(1)} `;
          expect(text).toContain(file === 'fabric.fish' ? inFish : flag);
        }
      }
    }
  });

  /** The lines as they are typed. */
  const typed = LINES.map(([line]) => line.join(' ').replace(' = ', '='));

  it.skipIf(!has('zsh'))(`of zsh propose what fits${unless('zsh')}`, () => {
    const script = `${ROOT}test/fixtures/zsh-completions.zsh`;
    const { stdout, stderr } = spawnSync('zsh', ['-f', script, dirname(completion('_fabric'))], {
      cwd: ROOT,
      encoding: 'utf8',
      input: `${typed.join('\n')}\n`,
      timeout: 20_000,
    });
    expect(stderr).toBe('');
    const answers = stdout.split('==\n').slice(0, -1);
    expect(answers.map((answer) => answer.split('\n').filter(Boolean))).toEqual(
      LINES.map(([, proposals]) => proposals),
    );
  });

  it.skipIf(!has('fish'))(`of fish propose what fits${unless('fish')}`, () => {
    const ask = typed.map((line) => `complete -C '${line}'; echo ==`).join('\n');
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', `source ${completion('fabric.fish')}\n${ask}`], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const answers = stdout.split('==\n').slice(0, -1);
    const words = answers.map((answer) =>
      answer
        .split('\n')
        .map((line) => line.split('\t')[0]!.replace(/^--test=/, ''))
        .filter(Boolean),
    );
    LINES.forEach(([, proposals], index) => {
      for (const proposal of proposals) expect(words[index]).toContain(proposal);
    });
  });

  it('are part of the package', () => {
    for (const file of ['fabric.bash', '_fabric', 'fabric.fish']) expect(existsSync(completion(file))).toBe(true);
  });
});

import { libraryInfo, type LibraryInfo } from 'node-libfabric';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Child, startNode } from './helpers/child.js';
import { canMount } from './helpers/mount.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FIXTURE = join(ROOT, 'test/fixtures/library-in-child.mjs');
const ADDON = process.env['NODE_LIBFABRIC_ADDON'] ?? join(ROOT, 'build/dev/Release/node_libfabric.node');

interface Told {
  /** What is mapped before the first call, and after it. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly library?: LibraryInfo;
  readonly interfaces?: number;
  readonly error?: Readonly<Record<'name' | 'code' | 'errno' | 'syscall' | 'message' | 'hint', unknown>>;
  readonly again?: Told['error'];
}

async function outcome(child: Child): Promise<Told> {
  await using running = child;
  const { code, stdout, stderr } = await running.ended();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Told;
}

const inProcessWith = (environment: NodeJS.ProcessEnv): Promise<Told> =>
  outcome(startNode('library-in-child', [], { environment }));

const preload = (file: string): string => [process.env['LD_PRELOAD'], file].filter(Boolean).join(' ');

const here = libraryInfo();
const folder = mkdtempSync(join(tmpdir(), 'node-libfabric-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A copy of the library that this process uses. */
function copyOfLibrary(name: string): string {
  const copy = join(folder, name);
  mkdirSync(dirname(copy), { recursive: true });
  copyFileSync(here.path, copy);
  return copy;
}

describe.concurrent('libraryInfo', () => {
  it('says which library is in use, and which places were tried', () => {
    expect(here.path).toMatch(/^\/.*\/libfabric\.so\.[\d.]+$/);
    expect(existsSync(here.path)).toBe(true);
    expect(here.version).toMatch(/^\d+\.\d+$/);
    expect(here.headers).toMatch(/^\d+\.\d+$/);
    const taken = here.attempts.at(-1)!;
    expect(taken).not.toHaveProperty('error');
    expect(taken.source).toBe(here.source);
    for (const { error } of here.attempts.slice(0, -1)) expect(error).toMatch(/\w/);
  });

  it('asks for the API of the library, up to the newest that was tested', () => {
    const [major, minor] = here.version.split('.').map(Number) as [number, number];
    expect(here.apiVersion).toBe(major > 2 || (major === 2 && minor > 1) ? '2.1' : here.version);
  });

  it('says the same each time', () => {
    expect(libraryInfo()).toEqual(here);
  });

  it.skipIf(existsSync('/opt/amazon/efa'))(
    "finds the system's where the EFA installer's is not, one library in all",
    async () => {
      const { before, after, library } = await inProcessWith({});
      expect(before).toEqual([]);
      expect(after).toEqual([library!.path]);
      expect(library!.source).toBe('system');
      const missing = 'cannot open shared object file: No such file or directory';
      expect(library!.attempts).toEqual([
        { source: 'efa-installer', place: '/opt/amazon/efa/lib64/libfabric.so.1', error: missing },
        { source: 'efa-installer', place: '/opt/amazon/efa/lib/libfabric.so.1', error: missing },
        { source: 'system', place: 'libfabric.so.1' },
      ]);
    },
  );

  it('takes the one that NODE_LIBFABRIC_LIBRARY names, and no other', async () => {
    const copy = copyOfLibrary('chosen/any-name.so');
    const { library, interfaces } = await inProcessWith({ NODE_LIBFABRIC_LIBRARY: copy });
    expect(library).toMatchObject({ path: copy, source: 'environment', version: here.version });
    expect(library!.attempts).toEqual([{ source: 'environment', place: copy }]);
    expect(interfaces).toBeGreaterThan(0);
  });

  it('resolves links', async () => {
    const link = join(folder, 'link.so');
    symlinkSync(here.path, link);
    const { library } = await inProcessWith({ NODE_LIBFABRIC_LIBRARY: link });
    expect(library).toMatchObject({ path: here.path, attempts: [{ source: 'environment', place: link }] });
  });

  it('takes an empty NODE_LIBFABRIC_LIBRARY for none', async () => {
    const { library } = await inProcessWith({ NODE_LIBFABRIC_LIBRARY: '' });
    expect(library!.source).not.toBe('environment');
  });

  it.each(['libfabric.so.1', 'libfabric-1a2b3c4d.so.1.20.0'])(
    'takes a %s that is mapped already, rather than a second one',
    async (name) => {
      const copy = copyOfLibrary(`mapped/${name}`);
      const { before, after, library } = await inProcessWith({ LD_PRELOAD: preload(copy) });
      expect(library).toMatchObject({ path: copy, source: 'mapped', attempts: [{ source: 'mapped', place: copy }] });
      expect([before, after]).toEqual([[copy], [copy]]);
    },
  );
});

// what is asked of a 2.x library are the structures of the headers that the addon was built against
it.skipIf(!here.headers.startsWith('1.'))(
  'the symbols of the headers are used where a library has newer ones',
  async () => {
    const versions = ['1.0', '1.1', '1.3', '1.4', '1.8'].map((version) => `FABRIC_${version} {};`);
    const map = join(folder, 'versions.map');
    writeFileSync(map, versions.join('\n'));
    const library = join(folder, 'versioned.so');
    const source = join(ROOT, 'test/fixtures/versioned-library.c');
    execFileSync('cc', ['-shared', '-fPIC', `-Wl,--version-script=${map}`, '-o', library, source], { timeout: 20_000 });
    const { error } = await inProcessWith({ NODE_LIBFABRIC_LIBRARY: library });
    expect(error).toMatchObject({ code: 'FI_ENOSYS', syscall: 'fi_getinfo' });
    expect(error!.message).toContain('from the versioned library');
  },
);

describe.concurrent('without a usable libfabric', () => {
  it('the import works, and each call throws one FabricError that says where it was looked for', async () => {
    const { before, after, error, again } = await inProcessWith({ NODE_LIBFABRIC_LIBRARY: '/nowhere/libfabric.so.1' });
    expect([before, after]).toEqual([[], []]);
    expect(error).toMatchObject({ name: 'FabricError', code: 'FI_ENOENT', errno: 2, syscall: 'dlopen' });
    expect(error!.message).toContain(
      'environment: /nowhere/libfabric.so.1: cannot open shared object file: No such file or directory\n',
    );
    expect(error!.message).toContain('apt-get install libfabric1');
    expect(error!.hint).toContain('NODE_LIBFABRIC_LIBRARY');
    expect(again).toEqual(error);
  });

  it.each([
    ['libc.so.6', 'has no fi_dupinfo@FABRIC_1.3'],
    ['/etc/hostname', /(file too short|invalid ELF header)/],
    ['/tmp', /cannot read file data: Is a directory/],
  ])('the error says what is wrong with %s', async (place, problem) => {
    const { error } = await inProcessWith({ NODE_LIBFABRIC_LIBRARY: place });
    expect(error!.code).toBe('FI_ENOENT');
    const [, line] = /^ {2}environment: (.*)$/m.exec(String(error!.message))!;
    expect(line!.startsWith(`${place}: `)).toBe(true);
    expect(line).toMatch(problem);
  });
});

describe.skipIf(!canMount())('where the system has no libfabric (skipped where mounting is not allowed)', () => {
  /** Starts the fixture with `file` in the place of the system's library, and the addon of a folder. */
  function startWithout(addon: string): Child {
    const empty = join(folder, 'empty');
    writeFileSync(empty, '');
    // shell arguments: the empty file, the library, node, the program
    const script = 'mount --bind "$0" "$1" && exec "$2" "$3"';
    const args = ['-m', 'sh', '-c', script, empty, here.path, process.execPath, FIXTURE];
    return new Child('a process without libfabric', 'unshare', args, { NODE_LIBFABRIC_ADDON: addon });
  }

  it('a copy beside the addon is used', async () => {
    const bundled = copyOfLibrary('bundle/libfabric.so.1');
    const addon = join(dirname(bundled), 'node_libfabric.node');
    copyFileSync(ADDON, addon);
    const { library, interfaces, after } = await outcome(startWithout(addon));
    expect(library).toMatchObject({ path: bundled, source: 'bundled', version: here.version });
    expect(library!.attempts.map(({ source }) => source).slice(-2)).toEqual(['system', 'bundled']);
    expect(library!.attempts.at(-2)!.error).toContain('file too short');
    expect(after).toEqual([bundled]);
    expect(interfaces).toBeGreaterThan(0);
  });

  it('and there is none beside the addon either, the error lists every place', async () => {
    const { error } = await outcome(startWithout(ADDON));
    const sources = [...String(error!.message).matchAll(/^ {2}([a-z-]+): /gm)].map(([, source]) => source);
    expect(sources).toEqual(['efa-installer', 'efa-installer', 'system', 'bundled']);
  });
});

describe('signal handlers', () => {
  it("that the program has are still the program's after libfabric was loaded", async () => {
    await using child = startNode('signals-in-child', ['handlers']);
    expect(await child.line()).toBe('ready');
    child.process.kill('SIGINT');
    expect(await child.line()).toBe('SIGINT is mine');
    child.process.kill('SIGTERM');
    expect(await child.line()).toBe('SIGTERM is mine');
    expect(await child.ended()).toMatchObject({ code: 3, signal: null, stderr: '' });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('that the program has not leave %s to end it as ever', async (signal) => {
    await using child = startNode('signals-in-child', ['none']);
    expect(await child.line()).toBe('ready');
    child.process.kill(signal);
    expect(await child.ended()).toMatchObject({ code: null, signal, stderr: '' });
  });
});

/** Files that are not what they should be: a finding, never a crash. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { examine, TreeHost } from 'node-libfabric/doctor';
import { elfFile } from './elf-file.js';
import { readElf } from '../../lib/doctor/elf.js';
import { EFA_LIB, healthy, write } from './machines.js';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/fabric-doctor.js', import.meta.url));
const g5 = healthy('g5.48xlarge');
const troubleOf = (root: string): string => {
  const { message } = examine(new TreeHost(root)).results.find(({ check }) => check.id === 'HOST-03')!;
  return message;
};

describe('a damaged file', () => {
  const cases: [string, string, (file: string) => void, RegExp][] = [
    [
      'cut short',
      `${EFA_LIB}/libfabric.so.1.30.0`,
      (file) => {
        truncateSync(file, 150);
      },
      /libfabric.*no library/,
    ],
    [
      'binary',
      '/proc/modules',
      (file) => {
        writeFileSync(file, Buffer.from([1, 0, 2]));
      },
      /modules: is binary/,
    ],
    [
      'huge',
      '/opt/amazon/efa_installed_packages',
      (file) => {
        writeFileSync(file, 'x '.repeat(1 << 20));
      },
      /longer than 1 MiB/,
    ],
    [
      'a loop of links',
      '/etc/ld.so.conf',
      (file) => {
        rmSync(file);
        symlinkSync('ld.so.conf', file);
      },
      /ELOOP/,
    ],
    [
      'a pipe',
      '/proc/meminfo',
      (file) => {
        rmSync(file);
        execFileSync('mkfifo', [file]);
      },
      /ENOTREG/,
    ],
    [
      'no JSON',
      '/.fabric-doctor/open.json',
      (file) => {
        writeFileSync(file, '{');
      },
      /no JSON object/,
    ],
    [
      'no number',
      '/sys/devices/pci0000:00/0000:00:1d.0/vendor',
      (file) => {
        writeFileSync(file, 'hello');
      },
      /no number/,
    ],
    [
      'no cache',
      '/etc/ld.so.cache',
      (file) => {
        writeFileSync(file, 'glibc-ld.so.cache1.1');
      },
      /no cache/,
    ],
  ];

  it.each(cases)('%s', (_name, path, damage, trouble) => {
    const root = write(g5);
    damage(join(root, path));
    expect(troubleOf(root)).toMatch(trouble);
  });

  it('without permission', () => {
    const root = write(g5);
    chmodSync(root, 0o755);
    chmodSync(join(root, 'proc/modules'), 0);
    const asUser = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const { stdout } = spawnSync(process.execPath, [PROGRAM, '--root', root, '--verbose'], {
      encoding: 'utf8',
      ...asUser,
    });
    expect(stdout).toMatch(/modules: EACCES/);
  });

  it('is survived whatever is in it', { timeout: 60_000 }, () => {
    const paths = Object.keys(g5.files).filter(
      (path) => typeof g5.files[path] !== 'object' || 'length' in g5.files[path],
    );
    const overlay = [
      '/.fabric-doctor/env',
      '/.fabric-doctor/open.json',
      '/.fabric-doctor/live.json',
      '/etc/ld.so.cache',
    ];
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(
        '',
        '\n',
        '-1',
        '{}',
        '[]',
        'null',
        '{"efa": 1, "mapped": {}}',
        'include *.conf',
        'glibc-ld.so.cache1.1',
      ),
    );
    const root = write(g5);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...paths, ...overlay), garbage), { maxLength: 8 }), (damage) => {
        for (const [path, content] of damage) {
          mkdirSync(dirname(join(root, path)), { recursive: true });
          writeFileSync(join(root, path), content);
        }
        expect(examine(new TreeHost(root)).results.length).toBeGreaterThan(20);
        for (const [path] of damage) {
          const content = g5.files[path] as string | Buffer | undefined;
          if (content === undefined) rmSync(join(root, path), { force: true });
          else writeFileSync(join(root, path), content);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('leads out of a copy by no link', () => {
    const root = write(g5);
    rmSync(join(root, 'proc/modules'));
    symlinkSync(`${'../'.repeat(20)}etc/passwd`, join(root, 'proc/modules'));
    expect(new TreeHost(root).files.read('/proc/modules')).toEqual({ error: 'ENOENT' });
  });
});

/** How the needs of a library begin: version 1, so many symbol versions. */
const needOf = (versions: number): Buffer => Buffer.from([1, 0, versions, 0]);

describe('a library', () => {
  const whole = elfFile({
    soname: 'libx.so.1',
    needed: ['liby.so'],
    runpath: '$ORIGIN/../lib:/opt/lib',
    defines: ['X_1.0', 'X_1.1'],
    requires: { 'liby.so': ['Y_1', 'Y_2'], 'libc.so.6': ['GLIBC_2.34'] },
  });

  it('is read by its program headers', () => {
    expect(readElf(whole)).toEqual({
      soname: 'libx.so.1',
      needed: ['liby.so'],
      runpath: ['$ORIGIN/../lib', '/opt/lib'],
      rpath: [],
      defines: ['X_1.0', 'X_1.1'],
      requires: [
        { library: 'liby.so', versions: ['Y_1', 'Y_2'] },
        { library: 'libc.so.6', versions: ['GLIBC_2.34'] },
      ],
    });
  });

  it('whose chains go in circles is read to an end', () => {
    // every entry says that 65535 more follow, and that the next one is itself
    const bytes = Buffer.from(whole);
    const at = bytes.indexOf(needOf(2));
    expect(at).toBeGreaterThan(0);
    bytes.writeUInt16LE(0xffff, at + 2);
    bytes.writeUInt32LE(0, at + 16 + 12);
    expect(readElf(bytes)!.requires[0]!.versions.length).toBe(4096);
  });

  it('that is damaged anywhere is no library, or another', () => {
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, length) => {
        const bytes = Buffer.from(whole);
        bytes[at] = byte;
        readElf(bytes);
        readElf(bytes.subarray(0, length));
      }),
      { numRuns: 3000 },
    );
  });
});

/** Which file the dynamic loader takes for a library, and whether that file would load: ld.so(8), without running it. */
import { basename, dirname, join } from 'node:path';
import type { Host } from '../host.js';
import { readElf, type ElfLibrary } from '../elf.js';

/** A file that could be taken. */
export interface Candidate {
  readonly path: string;
  readonly real: string;
  /** By what it is found. */
  readonly found: string;
}

/** Why a library does not load. */
export type LoadProblem =
  | { readonly kind: 'missing'; readonly by: string; readonly library: string }
  | {
      readonly kind: 'version';
      readonly by: string;
      readonly library: string;
      readonly version: string;
      /** The file that lacks it. */
      readonly file: string;
    }
  | { readonly kind: 'unreadable'; readonly by: string };

interface SearchPlace {
  readonly folder: string;
  readonly found: string;
}

const CACHE = '/etc/ld.so.cache';
const MAGIC = 'glibc-ld.so.cache1.1';
const EM_BY_MACHINE: Readonly<Record<string, number>> = { x86_64: 62, aarch64: 183 };

/** Simulates the loader of one machine. */
export class Loader {
  readonly #host: Host;
  readonly #parsed = new Map<string, ElfLibrary | undefined>();
  readonly #contents = new Map<string, Buffer | undefined>();
  readonly #found = new Map<string, Candidate[]>();
  readonly #cached: Map<string, string[]>;
  readonly #configured: string[];

  constructor(host: Host) {
    this.#host = host;
    this.#cached = readCache(host);
    this.#configured = readConfiguration(host, '/etc/ld.so.conf', new Set());
  }

  /** Folders of ld.so.conf that the cache has nothing of, though the library is in them. */
  uncached(soname: string): string[] {
    if (this.#cached.size === 0) return [];
    // /lib is a link to /usr/lib on many systems
    const known = (this.#cached.get(soname) ?? []).map((path) => this.#host.files.real(path));
    return this.#configured
      .map((folder) => join(folder, soname))
      .filter((path) => this.#host.files.exists(path) && !known.includes(this.#host.files.real(path)));
  }

  /** Every file that would be found, the one that is taken first. `by` is the library that needs it. */
  find(soname: string, by?: string): Candidate[] {
    const key = `${soname} ${by ?? ''}`;
    if (!this.#found.has(key)) this.#found.set(key, this.#find(soname, by));
    return this.#found.get(key)!;
  }

  #find(soname: string, by?: string): Candidate[] {
    if (soname.includes('/')) return this.#candidates([{ path: soname, found: 'its path' }]);
    const library = by === undefined ? undefined : this.elf(by);
    const origin = (folder: string): string => folder.replace(/\$\{?ORIGIN\}?/, dirname(by ?? '/'));
    const places: SearchPlace[] = [
      ...(library === undefined || library.runpath.length > 0
        ? []
        : library.rpath.map((folder) => ({ folder: origin(folder), found: `RPATH of ${by!}` }))),
      ...(this.#host.environment['LD_LIBRARY_PATH'] ?? '')
        .split(/[:;]/)
        .filter((folder) => folder.startsWith('/'))
        .map((folder) => ({ folder, found: 'LD_LIBRARY_PATH' })),
      ...(library?.runpath ?? []).map((folder) => ({ folder: origin(folder), found: `RUNPATH of ${by!}` })),
    ];
    const inPlaces = places.map(({ folder, found }) => ({ path: join(folder, soname), found }));
    const cached =
      this.#cached.size > 0
        ? (this.#cached.get(soname) ?? []).map((path) => ({ path, found: CACHE }))
        : this.#configured.map((folder) => ({ path: join(folder, soname), found: '/etc/ld.so.conf' }));
    const defaults = this.#defaults().map((folder) => ({ path: join(folder, soname), found: 'the default folders' }));
    return this.#candidates([...inPlaces, ...cached, ...defaults]);
  }

  /** What a library needs and provides; undefined where it is none, or for another machine. */
  elf(path: string): ElfLibrary | undefined {
    const real = this.#host.files.real(path);
    if (real === undefined) return undefined;
    if (!this.#parsed.has(real)) {
      const bytes = this.bytes(real);
      const wanted = EM_BY_MACHINE[this.#host.machine ?? ''];
      const isOfMachine = wanted === undefined || bytes?.[18] === wanted;
      const library = bytes === undefined || !isOfMachine ? undefined : readElf(bytes);
      if (bytes !== undefined && library === undefined)
        this.#host.files.complain(real, 'is no library for this machine');
      this.#parsed.set(real, library);
    }
    return this.#parsed.get(real);
  }

  bytes(path: string): Buffer | undefined {
    if (!this.#contents.has(path)) this.#contents.set(path, this.#host.files.binary(path));
    return this.#contents.get(path);
  }

  /** Whether a text is in a library, e.g. the name of a variable that it reads. */
  contains(path: string, text: string): boolean {
    return this.bytes(path)?.includes(text) ?? false;
  }

  /** What keeps a library from being loaded, its own needs included; nothing where it loads. */
  problems(path: string, visited = new Set<string>()): LoadProblem[] {
    const real = this.#host.files.real(path) ?? path;
    if (visited.has(real)) return [];
    visited.add(real);
    const library = this.elf(real);
    if (library === undefined) return [{ kind: 'unreadable', by: path }];
    const versions = library.requires.flatMap(({ library: needed, versions: wanted }) => {
      const [file] = this.find(needed, real);
      const provider = file === undefined ? undefined : this.elf(file.real);
      if (file === undefined || provider === undefined) return [];
      return wanted
        .filter((version) => !provider.defines.includes(version))
        .map((version) => ({ kind: 'version', by: path, library: needed, version, file: file.path }) as const);
    });
    const needs = library.needed.flatMap((needed): LoadProblem[] => {
      const [file] = this.find(needed, real);
      // the loader itself is mapped by the kernel
      if (file === undefined)
        return needed.startsWith('ld-linux') ? [] : [{ kind: 'missing', by: path, library: needed }];
      return this.problems(file.path, visited);
    });
    return [...versions, ...needs];
  }

  #defaults(): string[] {
    const machine = this.#host.machine ?? 'x86_64';
    return [`/lib/${machine}-linux-gnu`, `/usr/lib/${machine}-linux-gnu`, '/lib64', '/usr/lib64', '/lib', '/usr/lib'];
  }

  #candidates(places: readonly { path: string; found: string }[]): Candidate[] {
    const found = new Map<string, Candidate>();
    for (const place of places) {
      const real = this.#host.files.real(place.path);
      if (real !== undefined && !found.has(real)) found.set(real, { ...place, real });
    }
    return [...found.values()];
  }
}

/** Sentence for a problem, in the loader's own words where it has some. */
export function describeProblem(problem: LoadProblem): string {
  switch (problem.kind) {
    case 'missing':
      return `${problem.by} needs ${problem.library}, which is nowhere on the loader's path`;
    case 'version':
      return `${problem.file}: version \`${problem.version}' not found (required by ${problem.by})`;
    case 'unreadable':
      return `${problem.by} is not a library for this machine, or is damaged`;
  }
}

/** The loader's cache: sonames and their files, in the order in which they are tried. */
function readCache({ files }: Host): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const bytes = files.binary(CACHE);
  if (bytes === undefined) return found;
  // an older format may stand before the one that is read here
  const start = bytes.indexOf(MAGIC);
  try {
    if (start < 0) throw new RangeError('no cache');
    const count = bytes.readUInt32LE(start + 20);
    const textAt = (offset: number): string =>
      bytes.toString('latin1', start + offset, bytes.indexOf(0, start + offset));
    for (let index = 0; index < count; index++) {
      const entry = start + 48 + index * 24;
      const soname = textAt(bytes.readUInt32LE(entry + 4));
      found.set(soname, [...(found.get(soname) ?? []), textAt(bytes.readUInt32LE(entry + 8))]);
    }
  } catch {
    files.complain(CACHE, 'is no cache of the dynamic loader');
  }
  return found;
}

/** Folders of ld.so.conf, what it includes in its place. */
function readConfiguration({ files }: Pick<Host, 'files'>, path: string, visited: Set<string>): string[] {
  if (visited.has(path)) return [];
  visited.add(path);
  return (files.text(path) ?? '').split('\n').flatMap((line) => {
    const text = line.replace(/#.*/, '').trim();
    const include = /^include\s+(\S+)$/.exec(text)?.[1];
    if (include === undefined) return text.startsWith('/') ? [text] : [];
    const pattern = new RegExp(
      `^${basename(include)
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')}$`,
    );
    const folder = include.startsWith('/') ? dirname(include) : join('/etc', dirname(include));
    return files.list(folder, pattern).flatMap((name) => readConfiguration({ files }, join(folder, name), visited));
  });
}

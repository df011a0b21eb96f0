/** Files of a machine, or of a copy of one below a folder: symbolic links never lead out of it. */
import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** What a file has, or why it could not be read. */
export type ReadResult = { readonly text: string; readonly error?: undefined } | { readonly error: string };

/** What was looked at: what a bundle has to contain. */
export type Access =
  | { readonly kind: 'file'; readonly bytes: Buffer }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'folder'; readonly entries: readonly { name: string; isFolder: boolean }[] };

const TEXT_LIMIT = 1 << 20;
const BINARY_LIMIT = 64 << 20;
const LINK_LIMIT = 40;
const SYSFS = '/sys';
/** Not there: an answer, not a trouble. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR']);

/** uverbs9 comes before uverbs10. */
const NATURAL = new Intl.Collator('en', { numeric: true });

const errorOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** Reads files as a program on that machine would see them. Never throws. */
export class FileTree {
  /** Files that are there and could not be read as they should, with the reason. */
  readonly troubles = new Map<string, string>();
  readonly accessed = new Map<string, Access>();
  /** What each path links to: every file of a folder asks the same again. */
  readonly #links = new Map<string, string | undefined>();
  readonly #root: string;
  readonly #sysfs: string;

  /** `sysfs` is the folder in the place of /sys. */
  constructor(root: string, sysfs = join(root, SYSFS)) {
    this.#root = root;
    this.#sysfs = sysfs;
  }

  /** A text file, without the white space at its end; its beginning when it is longer than 1 MiB. */
  read(path: string): ReadResult {
    const bytes = this.#bytes(path, TEXT_LIMIT);
    if (typeof bytes === 'string') return { error: bytes };
    if (bytes.includes(0)) {
      this.troubles.set(path, 'is binary, a text was expected');
      return { error: 'EILSEQ' };
    }
    return { text: bytes.toString('utf8').trimEnd() };
  }

  /** The same where a file that cannot be read is as good as none. */
  text(path: string): string | undefined {
    const result = this.read(path);
    return result.error === undefined ? result.text : undefined;
  }

  /** A file as bytes, e.g. a library. */
  binary(path: string): Buffer | undefined {
    const bytes = this.#bytes(path, BINARY_LIMIT);
    return typeof bytes === 'string' ? undefined : bytes;
  }

  /** Names in a folder that fit, sorted; none where it is not there. */
  list(path: string, pattern = /./): string[] {
    const real = this.#resolve(path);
    if (real.error !== undefined) return [];
    try {
      const entries = readdirSync(this.#on(real.path), { withFileTypes: true })
        .filter(({ name }) => pattern.test(name))
        .sort((a, b) => NATURAL.compare(a.name, b.name));
      const kept = entries
        .filter((entry) => !entry.isSymbolicLink())
        .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
      for (const entry of entries) if (entry.isSymbolicLink()) this.#resolve(join(real.path, entry.name));
      this.accessed.set(real.path, { kind: 'folder', entries: kept });
      return entries.map(({ name }) => name);
    } catch (error) {
      this.#trouble(path, errorOf(error));
      return [];
    }
  }

  /** The path with every symbolic link followed; undefined where nothing is there. */
  real(path: string): string | undefined {
    const real = this.#resolve(path);
    if (real.error !== undefined) return undefined;
    try {
      const stat = lstatSync(this.#on(real.path));
      if (!this.accessed.has(real.path) && real.path !== '/') {
        this.accessed.set(
          real.path,
          stat.isDirectory() ? { kind: 'folder', entries: [] } : { kind: 'file', bytes: Buffer.alloc(0) },
        );
      }
      return real.path;
    } catch (error) {
      this.#trouble(path, errorOf(error));
      return undefined;
    }
  }

  /** Whether something is there. */
  exists(path: string): boolean {
    return this.real(path) !== undefined;
  }

  /** Notes what cannot be what it should be. */
  complain(path: string, reason: string): void {
    this.troubles.set(path, reason);
  }

  #on(path: string): string {
    const isSysfs = path === SYSFS || path.startsWith(`${SYSFS}/`);
    return isSysfs ? join(this.#sysfs, path.slice(SYSFS.length)) : join(this.#root, path);
  }

  #trouble(path: string, code: string): void {
    if (!ABSENT.has(code)) this.troubles.set(path, code);
  }

  #bytes(path: string, limit: number): Buffer | string {
    const real = this.#resolve(path);
    if (real.error !== undefined) return real.error;
    try {
      const bytes = readAtMost(this.#on(real.path), limit + 1);
      if (bytes.length > limit) this.troubles.set(path, `is longer than ${limit >> 20} MiB; the rest was not read`);
      const kept = bytes.subarray(0, limit);
      this.accessed.set(real.path, { kind: 'file', bytes: kept });
      return kept;
    } catch (error) {
      this.#trouble(path, errorOf(error));
      return errorOf(error);
    }
  }

  /** Follows symbolic links by hand, absolute ones from the tree's own root. */
  #resolve(path: string): { path: string; error?: undefined } | { error: string } {
    let rest = normalize(path).split('/').filter(Boolean);
    let done = '/';
    for (let links = 0; rest.length > 0;) {
      const [part, ...others] = rest;
      const here = join(done, part!);
      const target = this.#linkAt(here);
      rest = others;
      if (target === undefined) {
        done = here;
        continue;
      }
      if (++links > LINK_LIMIT) {
        this.troubles.set(path, 'ELOOP');
        return { error: 'ELOOP' };
      }
      // join() never goes above the root
      const next = target.startsWith('/') ? normalize(target) : join(dirname(here), target);
      rest = [...next.split('/').filter(Boolean), ...rest];
      done = '/';
    }
    return { path: done };
  }

  #linkAt(path: string): string | undefined {
    if (this.#links.has(path)) return this.#links.get(path);
    try {
      // most are none, and an exception for each of them would be slow
      const stat = lstatSync(this.#on(path), { throwIfNoEntry: false });
      const target = stat?.isSymbolicLink() === true ? readlinkSync(this.#on(path)) : undefined;
      // what is not there yet may come
      if (stat !== undefined) this.#links.set(path, target);
      if (target !== undefined) this.accessed.set(path, { kind: 'link', target });
      return target;
    } catch {
      return undefined;
    }
  }
}

/** Opens only files, since opening a device can have effects; and asks none how long it is: those of the kernel do not know. */
function readAtMost(path: string, limit: number): Buffer {
  if (!lstatSync(path).isFile()) throw Object.assign(new Error('not a file'), { code: 'ENOTREG' });
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    while (total < limit) {
      const chunk = Buffer.allocUnsafe(Math.min(1 << 16, limit - total));
      const count = readSync(file, chunk, 0, chunk.length, null);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      total += count;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(file);
  }
}

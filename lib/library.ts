/** Which libfabric this process uses. */
import { binding } from './binding.js';
import { ERRORS } from './constants.js';
import { FabricError } from './errors.js';

/** Where a libfabric was looked for, in the order in which the places are tried. */
export type LibrarySource = 'environment' | 'mapped' | 'efa-installer' | 'system' | 'bundled';

/** One place where libfabric was looked for. */
export interface LoadAttempt {
  readonly source: LibrarySource;
  /** What was given to dlopen(3). */
  readonly place: string;
  /** Why it was not taken; absent for the one that was. */
  readonly error?: string;
}

/** The loaded libfabric. */
export interface LibraryInfo {
  /** The file, symbolic links resolved. */
  readonly path: string;
  readonly source: LibrarySource;
  /** fi_version(3) of the library: `'1.17'`. */
  readonly version: string;
  /** The API version that is asked of it: its own, up to the newest that was tested. */
  readonly apiVersion: string;
  /** The version of the headers that the addon was built against. */
  readonly headers: string;
  /** Every place that was tried, the one taken last. */
  readonly attempts: readonly LoadAttempt[];
}

/**
 * Loads libfabric if that has not happened yet, and says which one it is.
 *
 * First hit wins: `NODE_LIBFABRIC_LIBRARY` (a path; when set, nothing else is tried), a libfabric that is already mapped
 * in the process (two copies make each other's devices vanish), the EFA installer's in `/opt/amazon/efa`, the system's, a
 * copy beside the addon.
 *
 * @throws FabricError `FI_ENOENT` when there is none, naming each place and how to install it.
 */
export function libraryInfo(): LibraryInfo {
  const loaded = binding.libraryLoad();
  if (loaded.path !== undefined) return loaded as LibraryInfo;
  const places = loaded.attempts.map(({ source, place, error }) => `  ${source}: ${place}: ${error}`);
  const hint =
    'Install it with: apt-get install libfabric1 (Debian, Ubuntu), dnf install libfabric (Fedora, RHEL, Amazon Linux), ' +
    'or the EFA installer on EC2; or name one in NODE_LIBFABRIC_LIBRARY.';
  throw new FabricError(`libfabric was not found. Places tried:\n${places.join('\n')}\n${hint}`, {
    errno: ERRORS.FI_ENOENT,
    syscall: 'dlopen',
    hint,
  });
}

/** The version of the loaded libfabric, `'1.17'`: fi_version(3). @throws FabricError when there is none. */
export function version(): string {
  return libraryInfo().version;
}

let loaded = false;
/** The variables that libfabric can have read when it started: what comes later comes too late. */
let environmentAtLoad: Readonly<Record<string, string>> | undefined;

/** Environment variables as libfabric found them, in this thread; those of now before it was loaded. */
export function libraryEnvironment(): Readonly<Record<string, string>> {
  return environmentAtLoad ?? libfabricVariables();
}

/** Variables that are libfabric's by their name. */
export function libfabricVariables(): Record<string, string> {
  const isOurs = (entry: [string, string | undefined]): entry is [string, string] => entry[0].startsWith('FI_');
  return Object.fromEntries(Object.entries(process.env).filter(isOurs));
}

/** To be called before anything that needs libfabric. */
export function requireLibrary(): void {
  if (loaded) return;
  libraryInfo();
  environmentAtLoad ??= libfabricVariables();
  loaded = true;
}

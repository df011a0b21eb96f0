/** What is written in the file of the loaded libfabric, which is large: it is read once. */
import { readFileSync } from 'node:fs';
import { configurationPath } from './libfabric-conf.js';
import { libraryInfo } from './library.js';

export interface LibraryFile {
  /** Where it looks for its libfabric.conf; undefined where it has none, or cannot be read. */
  readonly configuration: string | undefined;
  /** Whether it has the efa provider, which calls libefa; true where that cannot be seen. */
  readonly hasEfa: boolean;
}

let file: LibraryFile | undefined;

/** The file does not change: a process keeps the libfabric that it has loaded. */
export function libraryFile(): LibraryFile {
  file ??= read(libraryInfo().path);
  return file;
}

function read(path: string): LibraryFile {
  try {
    const bytes = readFileSync(path);
    return { configuration: configurationPath(bytes), hasEfa: bytes.includes('efadv_') };
  } catch {
    return { configuration: undefined, hasEfa: true };
  }
}

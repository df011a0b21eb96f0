/** Settings of the loaded libfabric: the environment, and the machine's libfabric.conf. */
import { readFileSync } from 'node:fs';
import { configurationPath, mergeConfiguration } from './libfabric-conf.js';
import { libfabricVariables, libraryInfo } from './library.js';

/** A variable that libfabric reads. */
export interface LibrarySetting {
  readonly value: string;
  /** The libfabric.conf that has it; undefined for the environment. */
  readonly file: string | undefined;
  /** `NAME=value`, and where. */
  readonly text: string;
}

/** Whatever is set now, by name. What a program changes after libfabric was loaded comes too late. */
export function librarySettings(): ReadonlyMap<string, LibrarySetting> {
  const file = configurationFile();
  const { values, fromFile } = mergeConfiguration(libfabricVariables(), file?.text ?? '');
  return new Map(
    Object.entries(values).map(([name, value]) => {
      const place = fromFile.has(name) ? file?.path : undefined;
      return [name, { value, file: place, text: `${name}=${value}${place === undefined ? '' : ` in ${place}`}` }];
    }),
  );
}

/** By the library's path, which does not change once it is loaded; a library is large. */
const paths = new Map<string, string | undefined>();

function configurationFile(): { path: string; text: string } | undefined {
  const library = libraryInfo().path;
  try {
    if (!paths.has(library)) paths.set(library, configurationPath(readFileSync(library)));
    const path = paths.get(library);
    return path === undefined ? undefined : { path, text: readFileSync(path, 'utf8') };
  } catch {
    // neither a libfabric whose file has gone nor a machine without such a file is a fault
    return undefined;
  }
}

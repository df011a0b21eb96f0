/** Settings of the loaded libfabric: the environment, and the machine's libfabric.conf. */
import { readFileSync } from 'node:fs';
import { mergeConfiguration } from './libfabric-conf.js';
import { libraryFile } from './library-file.js';
import { libfabricVariables } from './library.js';

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

function configurationFile(): { path: string; text: string } | undefined {
  const { configuration: path } = libraryFile();
  if (path === undefined) return undefined;
  try {
    return { path, text: readFileSync(path, 'utf8') };
  } catch {
    // most machines have no such file
    return undefined;
  }
}

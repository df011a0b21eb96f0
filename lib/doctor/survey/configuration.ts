/** The libfabric.conf of the libfabric that programs get. */
import { configurationPath, mergeConfiguration, type Settings } from '../../libfabric-conf.js';
import type { Host } from '../host.js';
import type { LibfabricFile } from './libraries.js';
import type { Loader } from './loader.js';

export interface Configuration extends Settings {
  /** Where it is looked for; undefined where libfabric knows no such file. */
  readonly path: string | undefined;
}

export function readConfiguration(host: Host, loader: Loader, libfabric: LibfabricFile | undefined): Configuration {
  const library = libfabric === undefined ? undefined : loader.bytes(libfabric.real);
  const path = library === undefined ? undefined : configurationPath(library);
  // blanks at the end of a value count
  const text = path === undefined ? undefined : host.files.binary(path)?.toString('utf8');
  return { ...mergeConfiguration(host.environment, text ?? ''), path };
}

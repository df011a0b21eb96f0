import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Most installations of Node bring their headers along. cmake-js and node-gyp look there when
 * told so, and otherwise download them.
 * @returns {NodeJS.ProcessEnv}
 */
export function nodeHeadersEnvironment() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include/node/uv.h')) ? { npm_config_nodedir: prefix } : {};
}

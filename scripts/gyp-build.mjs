// Builds the addon the way a source install does (node-gyp), or a prebuild (--prebuild).
// In a copy: both clear build/ first, where the development builds are, and what node-gyp leaves
// in build/Release would be preferred to any prebuild. Results:
//   node-gyp    build/gyp/Release/node_libfabric.node
//   --prebuild  prebuilds/<platform>-<arch>/node-libfabric.node
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHeadersEnvironment } from './node-headers.mjs';
import { SetUpError, root, run } from './set-up/run.mjs';

const isPrebuild = process.argv.includes('--prebuild');
const command = isPrebuild ? ['prebuildify', '--napi', '--strip'] : ['node-gyp', 'rebuild'];
const [from, to] = isPrebuild
  ? ['prebuilds', 'prebuilds']
  : ['build/Release/node_libfabric.node', 'build/gyp/Release/node_libfabric.node'];

const copy = mkdtempSync(join(tmpdir(), 'node-libfabric-gyp-'));
try {
  for (const input of ['binding.gyp', 'package.json', 'native', 'scripts']) {
    cpSync(join(root, input), join(copy, input), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  await run(`${command.join(' ')} failed`, command, { ...nodeHeadersEnvironment() }, copy);
  mkdirSync(join(root, to, '..'), { recursive: true });
  cpSync(join(copy, from), join(root, to), { recursive: true });
  process.stdout.write(`${to}\n`);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`${error.output}\n${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root, run } from './run.mjs';
import { stamped } from './stamped.mjs';

/** @type {{ bin: Record<string, string> }} */
const { bin: commands } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

export const typescriptBuild = stamped({
  title: 'compiling TypeScript',
  name: 'typescript',
  inputs: ['lib', 'scripts/manual', 'tsconfig.json', 'package-lock.json'],
  outputs: () => ['dist/index.js'],
  async make() {
    // Into a new folder that takes dist's place at once: nothing stale stays behind, and a process
    // that starts meanwhile finds a whole dist. Beside dist, as source maps hold relative paths.
    const fresh = join(root, 'dist.new');
    const dist = join(root, 'dist');
    const old = join(root, 'dist.old');
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
    await run('TypeScript found errors in lib/', [
      ...['tsc', '-p', 'tsconfig.json', '--outDir', 'dist.new', '--noEmitOnError', '--pretty', 'false'],
    ]);
    // they load the definitions of the command lines, so that all three always say the same
    await run('the manual pages and completions cannot be made', ['node', 'scripts/manual/write.mjs', 'dist.new']);
    // tsc does not know which files are commands
    for (const command of Object.values(commands)) chmodSync(join(fresh, relative('dist', command)), 0o755);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
    rmSync(old, { recursive: true, force: true });
  },
});

import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';
import { stamped } from './stamped.mjs';

export const typescriptBuild = stamped({
  title: 'compiling TypeScript',
  name: 'typescript',
  inputs: ['lib', 'tsconfig.json', 'package-lock.json'],
  outputs: () => ['dist/index.js'],
  async make() {
    // Into a new folder that takes dist's place at once: nothing stale stays behind, and a process
    // that starts meanwhile finds a whole dist. Beside dist, as source maps hold relative paths.
    const fresh = join(root, 'dist.new');
    const dist = join(root, 'dist');
    const old = join(root, 'dist.old');
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
    await run('TypeScript found errors in lib/', [
      ...[
        'tsc',
        '-p',
        'tsconfig.json',
        '--outDir',
        'dist.new',
        '--noEmitOnError',
        '--pretty',
        'false',
      ],
    ]);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
    rmSync(old, { recursive: true, force: true });
  },
});

// Makes a fresh checkout ready for what comes next: `node scripts/set-up.mjs [--goal …]`.
// Every npm script starts with it, so it may use nothing but Node, prints nothing when there is
// nothing to do, and writes only to stderr (stdout belongs to the command that follows).
import { cPrograms } from './set-up/c-programs.mjs';
import { withLock } from './set-up/lock.mjs';
import { nativeBuild } from './set-up/native-build.mjs';
import { npmPackages } from './set-up/npm-packages.mjs';
import { showProgress } from './set-up/progress.mjs';
import { SetUpError } from './set-up/run.mjs';
import { softwareEfa } from './set-up/software-efa.mjs';
import { needs, systemPackages } from './set-up/system-packages.mjs';
import { typescriptBuild } from './set-up/typescript-build.mjs';

const development = nativeBuild({ sanitize: false });
const sanitized = nativeBuild({ sanitize: true });
const packages = npmPackages({ title: 'installing npm packages', folder: '.' });
const testPeers = cPrograms({
  title: 'compiling the C peers of the tests',
  name: 'test-peers',
  sources: 'test/peers',
  programs: 'build/peers',
});
const benchmarkReferences = cPrograms({
  title: 'compiling the C references of the benchmarks',
  name: 'benchmark-references',
  sources: 'benchmarks/reference',
  programs: 'build/reference',
});
const benchmarkPeers = npmPackages({
  title: 'installing what the benchmarks compare with',
  folder: 'benchmarks/peers',
});

/**
 * What each goal takes, in order. A step that two goals share is done once.
 * @type {Record<string, import('./set-up/stamped.mjs').Step[]>}
 */
const goals = {
  '--packages': [packages],
  '--lint': [systemPackages(needs.lint), packages],
  '--gyp': [systemPackages([...needs.build, ...needs.gyp]), packages],
  '--native': [systemPackages(needs.build), packages, development],
  '--asan': [systemPackages(needs.build), packages, sanitized],
  '--build': [systemPackages(needs.build), packages, development, typescriptBuild],
  '--test': [systemPackages([...needs.build, ...needs.test]), packages, development, typescriptBuild, testPeers],
  '--efa': [systemPackages(needs.efa), softwareEfa],
  '--bench': [
    ...[systemPackages([...needs.build, ...needs.bench]), packages, development, typescriptBuild],
    ...[benchmarkReferences, benchmarkPeers],
  ],
  '--profile': [systemPackages(needs.profile)],
};

async function main() {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['--build'];
  const steps = wanted.flatMap((goal) => {
    const found = goals[goal];
    if (found === undefined) {
      throw new SetUpError(`unknown goal ${goal}; known are ${Object.keys(goals).join(', ')}`);
    }
    return found;
  });
  if (steps.every((step) => step.isDone())) return;
  await withLock(async () => {
    for (const step of steps) {
      // asked again: an earlier step, or the set-up that held the lock, may have changed the answer
      if (step.isDone()) continue;
      await step.prepare?.();
      await showProgress(step.title, () => step.make());
    }
  });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  if (error.output !== '') process.stderr.write(`${error.output}\n`);
  process.stderr.write(`set-up: ${error.message}\n`);
  process.exitCode = 1;
}

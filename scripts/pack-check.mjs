// Proves that the npm package works away from this checkout: packs it, installs it in an empty
// folder, imports it, starts its program; once with the prebuild and once compiled from source.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHeadersEnvironment } from './node-headers.mjs';
import { SetUpError, run } from './set-up/run.mjs';

const program = `
  import { libraryInfo } from 'node-libfabric';
  import 'node-libfabric/bench';
  import 'node-libfabric/doctor';
  libraryInfo();
`;

const folder = mkdtempSync(join(tmpdir(), 'node-libfabric-pack-'));
try {
  await run('npm pack failed', ['npm', 'pack', '--silent', '--pack-destination', folder]);
  const [tarball = ''] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  await check('prebuild', join(folder, tarball), {});
  await check('source', join(folder, tarball), {
    npm_config_build_from_source: 'true',
    ...nodeHeadersEnvironment(),
  });
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`${error.output}\n${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @param {'prebuild' | 'source'} kind
 * @param {string} tarball
 * @param {NodeJS.ProcessEnv} environment
 */
async function check(kind, tarball, environment) {
  const project = join(folder, kind);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  // npm hands a script's own settings down, and with them this checkout's ignore-scripts
  const install = { npm_config_ignore_scripts: 'false', ...environment };
  const inProject = (/** @type {string} */ sentence, /** @type {string[]} */ ...command) =>
    run(`${kind}: ${sentence}`, command, install, project);

  await inProject('npm install failed', 'npm', 'install', '--no-audit', '--no-fund', tarball);
  const isCompiled = existsSync(join(project, 'node_modules/node-libfabric/build/Release'));
  if (isCompiled !== (kind === 'source')) {
    throw new SetUpError(`${kind}: npm install ${isCompiled ? 'compiled' : 'did not compile'}`);
  }
  await inProject('the import failed', 'node', '--input-type=module', '-e', program);
  await inProject('its program failed', 'node_modules/.bin/fabric-pingpong', '--version');
  await inProject('its doctor failed', 'node_modules/.bin/fabric-doctor', '--explain', 'DEV-02');
  await inProject('its program failed', 'node_modules/.bin/fabric-info', '--help');
  const installed = join(project, 'node_modules/node-libfabric');
  /** @type {{ man: string[] }} */
  const { man } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const completions = ['fabric.bash', '_fabric', 'fabric.fish'].map((file) => `dist/completions/${file}`);
  const missing = [...man, ...completions].filter((file) => !existsSync(join(installed, file)));
  if (missing.length > 0) throw new SetUpError(`${kind}: the package lacks ${missing.join(', ')}`);
  const strays = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((file) => /softefa/i.test(file));
  if (strays.length > 0) throw new SetUpError(`${kind}: the package has the device of the tests: ${strays.join(', ')}`);
  process.stdout.write(`${kind}: installed and imported in an empty folder\n`);
}

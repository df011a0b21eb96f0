import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { Child } from './helpers/child.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

it('docs/connections.md: its example runs as it is', async () => {
  const [, example] = /```js\n([^]*?)```/.exec(readFileSync(join(ROOT, 'docs/connections.md'), 'utf8'))!;
  // inside the package, so that it finds itself by its name
  const folder = mkdtempSync(join(ROOT, 'build/example-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, 'example.mjs'), example!);
  const child = new Child('the example', process.execPath, [join(folder, 'example.mjs')], {});
  expect(await child.ended()).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });
});

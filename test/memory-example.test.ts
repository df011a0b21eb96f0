import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('runs the example of docs/memory.md', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const example = /```js\n(.*?)```/s.exec(readFileSync(`${root}docs/memory.md`, 'utf8'))![1]!;
  const args = ['--input-type=module', '--eval', example];
  const child = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 20_000 });
  expect([child.stdout, child.stderr, child.status]).toEqual(['hello 5n\n', '', 0]);
});

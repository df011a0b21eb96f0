import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const BENCH = fileURLToPath(new URL('../../dist/bench/index.js', import.meta.url));

interface Ended {
  code: number | null;
  stderr: string;
}

/** Runs a program that watches itself with 600 ms of silence allowed; stops it for a while when asked to. */
async function run(program: string, stopFor = 0): Promise<Ended> {
  const source = `
    import { watchEventLoop } from ${JSON.stringify(BENCH)};
    const block = (milliseconds) => { const end = performance.now() + milliseconds; while (performance.now() < end); };
    const watch = watchEventLoop(600, 'this-program', 7);
    ${program}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  if (stopFor > 0) {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGSTOP');
    await delay(stopFor);
    child.kill('SIGCONT');
  }
  return { code: await closed, stderr };
}

describe('watchEventLoop', () => {
  it('ends a process whose event loop stands still', async () => {
    const { code, stderr } = await run('block(30_000);');
    expect(stderr).toMatch(/^this-program: stalled: libfabric has not returned.*\n$/);
    expect(code).toBe(7);
  });

  it('lets one be whose event loop turns, and one that is stopped as a whole', async () => {
    const turning = 'console.log("up"); setTimeout(() => process.exit(5), 2000);';
    expect(await run(turning)).toEqual({ code: 5, stderr: '' });
    expect(await run(turning, 1500)).toEqual({ code: 5, stderr: '' });
  });

  it('watches no more once it is disposed of', async () => {
    expect(await run('watch[Symbol.dispose](); block(1500); process.exit(5);')).toEqual({ code: 5, stderr: '' });
  });
});

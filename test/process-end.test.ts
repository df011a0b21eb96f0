import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startNode } from './helpers/child.js';
import { overEachProvider } from './helpers/providers.js';

/** Long enough for a process with nothing to do to end. */
const GRACE_MILLISECONDS = 700;

/** What a process has left of provider shm: 16 MiB of memory each, until the machine is started anew. */
const regionsOf = (pid: number | undefined): string[] =>
  existsSync('/dev/shm') ? readdirSync('/dev/shm').filter((name) => name.startsWith(`${pid}:`)) : [];

// most of a short process's time is libfabric's start, which waits for the kernel
describe.concurrent('the end of a process', () => {
  overEachProvider((_, provider) => {
    it.each(['open', 'open after traffic', 'closed', 'pending, then aborted', 'pending, then closed'])(
      'comes by itself, with an endpoint %s',
      async (action) => {
        await using child = startNode('process-end', [provider, action]);
        const { code, signal, stderr } = await child.ended();
        expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
      },
    );

    it.each(['pending, unref', 'pending, then unref'])('comes by itself, with an operation %s', async (action) => {
      await using child = startNode('process-end', [provider, action]);
      const { code, signal } = await child.ended();
      // Node's code for a top-level await that was never settled, here that of the operation
      expect({ code, signal }).toEqual({ code: 13, signal: null });
    });

    it.each(['pending', 'pending after traffic', 'pending, unref, ref'])(
      'does not come while an operation is %s',
      async (action) => {
        await using child = startNode('process-end', [provider, action]);
        expect(await child.line()).toBe('ready');
        await expect(child.ended(GRACE_MILLISECONDS)).rejects.toThrow(/still waiting/);
        child.process.kill('SIGTERM');
        expect((await child.ended()).signal).toBe('SIGTERM');
        expect(regionsOf(child.process.pid)).toEqual([]);
      },
    );

    it('leaves nothing behind when somebody interrupts it', async () => {
      await using child = startNode('process-end', [provider, 'pending after traffic']);
      expect(await child.line()).toBe('ready');
      child.process.kill('SIGINT');
      expect((await child.ended()).signal).toBe('SIGINT');
      expect(regionsOf(child.process.pid)).toEqual([]);
    });

    it.each([
      'exit with a receive pending',
      'exit with transfers in flight',
      'exit some turns into transfers',
      'exit in a continuation',
    ])('is orderly after an %s', async (action) => {
      await using child = startNode('process-end', [provider, action]);
      const { code, signal, stderr } = await child.ended();
      expect({ code, signal, stderr }).toEqual({ code: 7, signal: null, stderr: '' });
      expect(regionsOf(child.process.pid)).toEqual([]);
    });

    it.each(['throw with transfers in flight', 'throw in a continuation', 'throw in a microtask of a completion'])(
      'is orderly after a %s',
      async (action) => {
        await using child = startNode('process-end', [provider, action]);
        const { code, signal, stderr } = await child.ended();
        expect({ code, signal }).toEqual({ code: 1, signal: null });
        expect(stderr).toMatch(/Error: thrown on purpose/);
        expect(regionsOf(child.process.pid)).toEqual([]);
      },
    );
  });
});

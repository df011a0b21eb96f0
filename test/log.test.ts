import { getInfo, LOG_CHANNEL, openLog, type LogMessage } from 'node-libfabric';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startNode } from './helpers/child.js';
import { until, within } from './helpers/within.js';

/** Something that libfabric logs at `info`. */
const provoke = (): unknown => getInfo({ caps: ['FI_MSG'] });

function listen(level: 'warn' | 'info') {
  const messages: LogMessage[] = [];
  const log = openLog({ level, callback: (message) => messages.push(message) });
  onTestFinished(() => {
    log.close();
  });
  return { log, messages };
}

describe('openLog', () => {
  it('delivers messages to the callback and the channel', async () => {
    const { messages } = listen('info');
    const published: unknown[] = [];
    const subscriber = (message: unknown): void => void published.push(message);
    subscribe(LOG_CHANNEL, subscriber);
    onTestFinished(() => void unsubscribe(LOG_CHANNEL, subscriber));
    provoke();
    expect(messages).toEqual([]);
    await until(() => messages.length > 0, 'a message');
    expect(published).toEqual(messages);
    for (const message of messages) {
      expect(message).toMatchObject({ provider: expect.any(String) as string, line: expect.any(Number) as number });
      expect(['warn', 'trace', 'info']).toContain(message.level);
      expect(message.message).not.toMatch(/\n$/);
    }
    expect(messages.map(({ subsystem }) => subsystem)).toContain('core');
  });

  it('delivers what came before it is closed, and nothing after', () => {
    const { log, messages } = listen('info');
    provoke();
    log.close();
    const count = messages.length;
    expect(count).toBeGreaterThan(0);
    provoke();
    log.close();
    expect(messages).toHaveLength(count);
  });

  it('gives each listener its level', () => {
    const quiet = listen('warn');
    const loud = listen('info');
    provoke();
    loud.log.close();
    quiet.log.close();
    expect(loud.messages.length).toBeGreaterThan(0);
    expect(quiet.messages.filter(({ level }) => level !== 'warn')).toEqual([]);
  });

  it('drops what nobody reads, and says so', () => {
    const { log, messages } = listen('info');
    while (messages.length === 0) {
      for (let i = 0; i < 300; i++) provoke();
      log.close();
    }
    const last = messages.at(-1)!;
    expect(messages.length).toBe(10_001);
    expect(last.message).toMatch(/^\d+ messages were dropped/);
  });

  it('refuses levels and callbacks that are none', () => {
    expect(() => openLog({ level: 'loud' as never })).toThrow(
      /options.level: 'loud' is none of warn, trace, info, debug/,
    );
    expect(() => openLog({ callback: 7 as never })).toThrow(TypeError);
  });

  it('lets a process end, and says nothing on stderr', async () => {
    const { code, stdout, stderr } = await startNode('log-open').ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it('survives the end of workers that listen, in the middle of messages', async () => {
    const { messages } = listen('info');
    const script = new URL('fixtures/log-worker.mjs', import.meta.url);
    for (let round = 0; round < 5; round++) {
      const workers = [new Worker(script), new Worker(script)];
      await within(
        Promise.all(workers.map((worker) => new Promise((done) => worker.once('message', done)))),
        'workers',
      );
      await within(Promise.all(workers.map((worker) => worker.terminate())), 'the end of the workers');
    }
    const count = messages.length;
    provoke();
    await until(() => messages.length > count, 'a message');
  });
});

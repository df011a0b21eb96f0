import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { libraryInfo } from 'node-libfabric';
import { BenchError, pingpong, type Progress } from 'node-libfabric/bench';
import { afterEach, describe, expect, it } from 'vitest';
import { discover, groupCandidates } from '../../lib/bench/candidates.js';
import { ControlChannel } from '../../lib/bench/control-channel.js';
import { runServerPhase } from '../../lib/bench/phase.js';
import { makeHello } from '../../lib/bench/hello.js';
import { openLink } from '../../lib/bench/open-link.js';
import { Programs } from '../cli/program.js';

const programs = new Programs();
afterEach(() => programs.endAll());

const SERVE = ['serve', '--bind', '127.0.0.1', '--port', '0'];
const tiny = { sizes: [64, 65_536], iterations: 50, warmup: 10 };

describe('pingpong', () => {
  it('measures each size, and reports its progress', async () => {
    const server = programs.start(SERVE);
    const progress: Progress[] = [];
    const port = Number(await server.port());
    const onProgress = (step: Progress): number => progress.push(step);
    const result = await pingpong({ ...tiny, port, onProgress, sizes: [4096, 64] });
    expect(result.measurements.map(({ size }) => size)).toEqual([4096, 64]);
    expect(result.client.libfabric).toBe(libraryInfo().version);
    expect(result.parameters).toMatchObject({ ...tiny, sizes: [4096, 64], port, door: 'batch' });
    for (const { phase, sizeCount, iteration, iterations } of progress) {
      expect(['latency', 'bandwidth']).toContain(phase);
      expect(sizeCount).toBe(2);
      expect(iteration).toBeLessThanOrEqual(iterations);
    }
    expect(await server.exitCode).toBe(0);
  });

  it.each(['batch', 'await'] as const)(
    'ends on its signal, with what the %s door had measured until then',
    async (door) => {
      const server = programs.start(SERVE);
      const controller = new AbortController();
      const measuring = pingpong({
        door,
        port: Number(await server.port()),
        sizes: [64],
        iterations: 5_000_000,
        warmup: 10,
        signal: controller.signal,
        onProgress: ({ iteration }) => {
          if (iteration > 10) controller.abort();
        },
      });
      const error = await measuring.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(BenchError);
      const { code, partial } = error as BenchError;
      expect(code).toBe('INTERRUPTED');
      expect(partial?.measurements).toMatchObject([{ size: 64, latency: { complete: false } }]);
      expect(partial?.measurements[0]?.latency?.iterations).toBeGreaterThan(0);
      expect(await server.exitCode).toBe(8);
    },
  );

  it('does not begin when its signal has fired before', async () => {
    await expect(pingpong({ signal: AbortSignal.abort() })).rejects.toThrow(
      expect.objectContaining({ code: 'INTERRUPTED' }),
    );
  });

  it.each(['batch', 'await'] as const)('finds wrong data through the %s door', async (door) => {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const args = ['127.0.0.1', '--port', String(port), '--json', '--door', door];
    const client = programs.start([...args, '--sizes', '64', '--iters', '50']);
    const [socket] = (await once(listener, 'connection')) as [Socket];
    listener.close();

    // A server as it should be, but for one byte of what it sends.
    const channel = new ControlChannel(socket, 5000);
    const { wants } = await channel.receive('hello');
    const discovery = discover(wants);
    const local = groupCandidates(discovery.infos, channel.localAddress);
    channel.send(makeHello(discovery, local, wants, channel.localAddress));
    const plan = await channel.receive('plan');
    using link = await openLink(channel, 'server', local, plan, plan, 5000);
    link.transmitBuffer[17]! ^= 0xff;
    const start = await link.progressUntil(channel.receive('start'));
    await expect(runServerPhase(link, channel, start, 5000)).rejects.toThrow(
      expect.objectContaining({ code: 'INTEGRITY' }),
    );
    channel.close();

    expect(await client.exitCode).toBe(9);
    expect(client.json).toMatchObject({
      error: {
        code: 'INTEGRITY',
        exitCode: 9,
        message: expect.stringMatching(
          /^wrong data in latency, size 64, iteration \d+: byte 17 of 64 is \d+, the server sent \d+$/,
        ) as string,
      },
    });
  });
});

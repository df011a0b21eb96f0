/** `--compat fabtests` with test/peers/fabtests_pingpong.c, which was written from the protocol of fi_rdm_pingpong -b. */
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { getInfo } from 'node-libfabric';
import { formatFabtestsTable } from '../../lib/cli/classic-table.js';
import { startPeer, type Child } from '../helpers/child.js';
import { compatSession, type Outcome, type SessionOptions } from './compat-session.js';
import { Programs } from './program.js';

const session = (args: readonly string[], options: SessionOptions): Promise<Outcome> =>
  compatSession('fabtests', ['-b', ...args], options);

/** The peer with -p PROVIDER -S SIZE -I ITERATIONS -w 10. */
const start = (provider: string, size: number, iterations: number, port: number, host: string[] = []): Child =>
  startPeer('fabtests_pingpong', [provider, String(size), String(iterations), '10', String(port), ...host]);

async function asClient(provider: string, args: string[], size: number, iterations: number): Promise<[Outcome, Child]> {
  const peer = start(provider, size, iterations, 0);
  const port = Number(await peer.line());
  return [await session(['-p', provider, ...args], { host: '127.0.0.1', port }), peer];
}

async function asServer(provider: string, args: string[], size: number, iterations: number): Promise<[Outcome, Child]> {
  let peer: Child | undefined;
  const outcome = await session(['-p', provider, ...args], {
    port: 0,
    onListening: ({ port }) => {
      peer = start(provider, size, iterations, port, ['127.0.0.1']);
    },
  });
  if (peer === undefined) throw new Error(`it did not listen: ${outcome.said}`);
  return [outcome, peer];
}

const PROVIDERS = ['tcp;ofi_rxm', 'net', 'shm'];
const isHere = (provider: string): boolean =>
  getInfo({ epAttr: { type: 'FI_EP_RDM' }, fabricAttr: { provName: provider } }).length > 0;
const DIRECTIONS = [
  ['our client', asClient],
  ['our server', asServer],
] as const;

const programs = new Programs();
afterEach(() => programs.endAll());

describe('--compat fabtests', () => {
  describe.each(DIRECTIONS)('%s', (_, run) => {
    describe.each(PROVIDERS)('%s', (provider) => {
      const missing = isHere(provider) ? '' : ' (skipped: this libfabric does not have it)';

      it.skipIf(missing !== '').each([
        [1, 50],
        [4096, 50],
        [1_048_576, 5],
      ])(`%d bytes, checked${missing}`, async (size, iterations) => {
        const [outcome, peer] = await run(
          provider,
          ['-S', String(size), '-I', String(iterations), '-v'],
          size,
          iterations,
        );
        await using running = peer;
        expect(outcome).toMatchObject({ code: 0, said: '' });
        const { code, stdout, stderr } = await running.ended();
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        // the warm-up too
        expect(stdout.trimEnd().split('\n').at(-1)).toBe(String(iterations + 10));
        expect(outcome.result).toMatchObject({
          compat: 'fabtests',
          verify: true,
          measurements: [{ size, iterations }],
        });
      });
    });
  });

  it.each<[string, typeof asClient, string[], number, RegExp]>([
    [
      'another -S',
      asClient,
      ['-S', '32', '-I', '50', '-v'],
      6,
      /64 bytes arrived where 32 were due: -S differs.*run: fi_rdm_pingpong -b=/,
    ],
    ['fewer -I there', asServer, ['-S', '64', '-I', '60', '-v'], 6, /after 60 round trips: -I, -w or -S differ/],
    ['fewer -w there', asServer, ['-S', '64', '-I', '50', '-w', '20', '-v'], 6, /-I, -w or -S differ/],
    ['more sizes here', asClient, ['-I', '50', '-v'], 7, /stalled in sync \(256 bytes\): 0 of 1 bytes/],
  ])('explains %s', async (_, run, args, code, message) => {
    const [outcome, peer] = await run('tcp;ofi_rxm', args, 64, 50);
    await using running = peer;
    expect(outcome.said).toMatch(message);
    expect(outcome.code).toBe(code);
    running.process.kill();
  });

  it.each([
    [
      'of a program before 1.22',
      Buffer.concat([Buffer.from([2, 0, 0x9c, 0x40]), Buffer.alloc(252)]),
      6,
      /1\.22 or later/,
    ],
    ['silence', Buffer.alloc(0), 7, /stalled in ready: 0 of 4 bytes/],
  ])('explains the first words %s', async (_, bytes, code, message) => {
    const server = createServer((socket) => socket.on('error', () => undefined).write(bytes));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const outcome = await session(['-p', 'tcp;ofi_rxm', '--timeout', '1'], { host: '127.0.0.1', port });
    expect(outcome.said).toMatch(message);
    expect(outcome.code).toBe(code);
    server.close();
  });

  it('prints the columns of fabtests as a program', async () => {
    const server = programs.start([
      '--compat',
      'fabtests',
      '-b=0',
      '-p',
      'tcp;ofi_rxm',
      '-S',
      '64',
      '-I',
      '50',
      '-v',
      '--classic',
    ]);
    await using peer = start('tcp;ofi_rxm', 64, 50, Number(await server.port()), ['127.0.0.1']);
    expect((await peer.ended()).code).toBe(0);
    expect(await server.exitCode).toBe(0);
    expect(server.stdout).toMatch(
      /^bytes {3}iters {3}total {7}time {5}MB\/sec {4}usec\/xfer {3}Mxfers\/sec\n64 {6}50 {6}6\.2k {4} {1,7}\d+\.\d\ds +[\d.]+ +[\d.]+ +[\d.]+\n$/,
    );
  });

  it('formats as fabtests does', () => {
    // as fi_rdm_pingpong of fabtests 2.6 prints it
    expect(formatFabtestsTable([{ size: 64, iterations: 100, acknowledged: 100, microseconds: 774_902 }])).toBe(
      'bytes   iters   total       time     MB/sec    usec/xfer   Mxfers/sec\n' +
        '64      100     12k         0.77s      0.02    3874.51       0.00\n',
    );
  });
});

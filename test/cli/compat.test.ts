import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { getInfo } from 'node-libfabric';
import { formatClassicTable } from '../../lib/cli/classic-table.js';
import { compatSession, type Outcome, type SessionOptions } from './compat-session.js';
import { Programs, type Program } from './program.js';

/** C's program, which says nothing when it listens. */
class Classic {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  readonly closed: Promise<number | null>;

  constructor(args: readonly string[]) {
    this.child = spawn('fi_pingpong', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.closed = new Promise((resolve) => this.child.once('close', resolve));
  }
}

const programs = new Programs();
const classics: Classic[] = [];
afterEach(async () => {
  for (const { child } of classics) if (child.exitCode === null) child.kill('SIGKILL');
  await Promise.all(classics.splice(0).map(({ closed }) => closed));
  await programs.endAll();
});

const isThere = spawnSync('fi_pingpong', ['-h']).status === 1;
const why = isThere ? '' : ' (skipped: there is no fi_pingpong)';

function startClassic(args: readonly string[]): Classic {
  const classic = new Classic(args);
  classics.push(classic);
  return classic;
}

function startOurs(args: readonly string[]): Program {
  return programs.start(['--compat', 'fi_pingpong', '--timeout', '5', ...args]);
}

/** Below those that the system gives to who asks for any, so that nobody gets it meanwhile. */
let nextPort = 20_000 + (process.pid % 500) * 20;

/** A port that nobody has. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    try {
      const port = await listenOn(server, nextPort++);
      await new Promise((resolve) => server.close(resolve));
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

async function listenOn(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A listener is seen in /proc: connecting to look would end C's server. */
async function listens(port: number, classic: Classic): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  for (;;) {
    const table = readFileSync('/proc/net/tcp', 'utf8') + readFileSync('/proc/net/tcp6', 'utf8');
    if (new RegExp(`:${hex} [0-9A-F]+:0000 0A`).test(table)) return;
    if (classic.child.exitCode !== null) throw new Error(`fi_pingpong ended: ${classic.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What came of a session between this process and C's. */
interface Session extends Outcome {
  theirs: Classic;
  theirCode: number | null;
}

const session = (args: readonly string[], options: SessionOptions): Promise<Outcome> =>
  compatSession('fi_pingpong', args, options);

async function withTheirServer(ours: readonly string[], theirs = ours, host = '127.0.0.1'): Promise<Session> {
  const port = await freePort();
  const server = startClassic(['-B', String(port), ...theirs]);
  await listens(port, server);
  const outcome = await session(ours, { host, port });
  if (outcome.code !== 0) server.child.kill('SIGKILL');
  return { ...outcome, theirs: server, theirCode: await server.closed };
}

async function withOurServer(ours: readonly string[], theirs = ours, host = '127.0.0.1'): Promise<Session> {
  let client: Classic | undefined;
  const outcome = await session(ours, {
    port: 0,
    onListening: ({ port }) => {
      client = startClassic(['-P', String(port), ...theirs, host]);
    },
  });
  if (client === undefined) throw new Error(`it did not listen: ${outcome.said}`);
  if (outcome.code !== 0) client.child.kill('SIGKILL');
  return { ...outcome, theirs: client, theirCode: await client.closed };
}

const DIRECTIONS = [
  ['our client', withTheirServer],
  ['our server', withOurServer],
] as const;

const WAYS = [
  ['tcp', 'msg', ['-d', 'lo']],
  ['tcp;ofi_rxm', 'rdm', ['-d', 'lo']],
  ['net', 'rdm', ['-d', 'lo']],
  ['udp', 'dgram', ['-d', 'lo']],
  ['udp;ofi_rxd', 'rdm', ['-d', 'lo']],
  ['shm', 'rdm', []],
  ['sockets', 'rdm', ['-d', 'lo']],
  ['sockets', 'msg', ['-d', 'lo']],
] as const;

const SMALL = ['-S', '64', '-I', '20'];
const USUAL = ['-I', '3'];
const ALL = ['-S', 'all', '-I', '1'];

/** Each kind of messages, and the sizes for it: a session takes C half a second before its first message. */
const KINDS: [string, string[], string[][]][] = [
  ['plain, the default sizes', [], [USUAL]],
  ['-c, 64 bytes and all sizes', ['-c'], [SMALL, ALL]],
  ['-m tagged, 64 bytes and all sizes', ['-m', 'tagged'], [SMALL, ALL]],
];

/** Where all sizes take seconds, as C itself needs one for 6 MiB over rxd, both ways, they are for -c. */
const isTooSlow = (provider: string, kind: readonly string[], sizes: readonly string[]): boolean =>
  ['udp;ofi_rxd', 'sockets'].includes(provider) && sizes === ALL && !kind.includes('-c');

/** The first columns of each line: what was measured, without how fast it was. */
const measured = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/).slice(0, 4));

const has = (provider: string, type: string, caps: 'FI_MSG' | 'FI_TAGGED'): boolean =>
  getInfo({ caps: [caps], epAttr: { type: type as 'FI_EP_RDM' }, fabricAttr: { provName: provider } }).some(
    (info) => info.fabricAttr.provName === provider,
  );

describe.skipIf(!isThere)(`--compat fi_pingpong${why}`, () => {
  describe.each(DIRECTIONS)('%s', (_, run) => {
    describe.each(WAYS)('%s %s', (provider, type, more) => {
      const isHere = has(provider, `FI_EP_${type.toUpperCase()}`, 'FI_MSG');
      const isTagged = isHere && has(provider, `FI_EP_${type.toUpperCase()}`, 'FI_TAGGED');
      const missing = isHere ? '' : ` (skipped: this libfabric has no ${provider} ${type})`;

      it.skipIf(!isHere).each(KINDS)(
        `%s${missing}`,
        async (_name, kind, lists) => {
          // C's says -61 once a client has come
          if (kind.includes('tagged') && !isTagged) {
            const args = ['-p', provider, '-e', type, ...more, ...kind];
            expect((await session(args, { port: 0 })).code).toBe(3);
            return;
          }
          for (const sizes of lists) {
            if (isTooSlow(provider, kind, sizes)) continue;
            const args = ['-p', provider, '-e', type, ...more, ...kind, ...sizes];
            const { code, said, result, theirs, theirCode } = await run(args);
            expect({ args, code, said, theirCode, stderr: theirs.stderr }).toEqual({
              ...{ args, code: 0, said: '', theirCode: 0, stderr: '' },
            });
            const table = formatClassicTable(result!.measurements);
            expect(measured(table)).toEqual(measured(theirs.stdout));
            expect(measured(table).length).toBeGreaterThan(1);
          }
        },
        60_000,
      );
    });

    it('the control connection over IPv6', async () => {
      const args = ['-6', '-p', 'tcp', '-e', 'msg', '-S', '64', '-d', 'lo'];
      const { code, theirCode, result } = await run(args, args, '::1');
      expect({ code, theirCode }).toEqual({ code: 0, theirCode: 0 });
      expect(result).toMatchObject({ peerControlAddress: '::1', measurements: [{ size: 64 }] });
    });
  });

  it('prints, exits and says its phases as a program', async () => {
    const args = ['-p', 'tcp', '-e', 'msg', '-d', 'lo', '-S', '64'];
    const server = startOurs(['-B', '0', '-v', ...args, '--classic']);
    const client = startClassic(['-P', await server.port(), ...args, '127.0.0.1']);
    expect([await server.exitCode, await client.closed]).toEqual([0, 0]);
    expect(measured(server.stdout)).toEqual(measured(client.stdout));
    expect(server.stderr.split('\n')).toEqual([
      expect.stringMatching(/^listening on/),
      ...['endpoint set-up', 'connect', 'sync (64 bytes)', 'data (64 bytes)', 'count (64 bytes)', 'fin', 'close', ''],
    ]);
  });

  const TCP = ['-p', 'tcp', '-e', 'msg', '-d', 'lo'];
  const RXM = ['-p', 'tcp;ofi_rxm', '-e', 'rdm', '-d', 'lo'];
  const NET = ['-p', 'net', '-e', 'rdm', '-d', 'lo'];

  // What hangs or misleads C's program: here it is a sentence and an exit code.
  it.each<[string, typeof withTheirServer, string[], string[], number, RegExp]>([
    ['a smaller -S of ours', withTheirServer, [...TCP, '-S', '16'], [...TCP, '-S', '32'], 6, /-S differs/],
    [
      'a smaller -S of theirs',
      withTheirServer,
      [...TCP, '-S', '32'],
      [...TCP, '-S', '16'],
      6,
      /16 bytes arrived where 32 were due/,
    ],
    ['another -S at our server', withOurServer, [...TCP, '-S', '32'], [...TCP, '-S', '16'], 6, /-S differs/],
    [
      'a -S of theirs that does not fit',
      withTheirServer,
      [...RXM, '-S', '64'],
      [...RXM, '-S', '4096'],
      6,
      /-S differs/,
    ],
    ['more sizes here', withTheirServer, RXM, [...RXM, '-S', '64'], 6, /fewer sizes/],
    [
      // nothing is said over the fabric at all, as where a fin is lost
      'fewer sizes here',
      withTheirServer,
      [...RXM, '-S', '64'],
      RXM,
      7,
      /stalled in fin: none came within 2 s; likely -S differs run: fi_pingpong/,
    ],
    [
      'more -I here',
      withTheirServer,
      [...RXM, '-S', '64', '-I', '20'],
      [...RXM, '-S', '64'],
      7,
      /stalled in data: size 64, iteration 10; sent \d+, received 10; likely provider, -S, -I or -m differ/,
    ],
    [
      'more -I at our server',
      withOurServer,
      [...RXM, '-S', '64', '-I', '20', '--timeout', '2'],
      [...RXM, '-S', '64'],
      6,
      /after 10 round trips.*-I differs/,
    ],
    [
      '-m tagged there',
      withTheirServer,
      [...RXM, '-S', '64'],
      [...RXM, '-S', '64', '-m', 'tagged'],
      7,
      /stalled in data: size 64, iteration 0; sent 1, received 0/,
    ],
    [
      '-m tagged at our server',
      withOurServer,
      [...RXM, '-S', '64', '-m', 'tagged'],
      [...RXM, '-S', '64'],
      7,
      /stalled in data: size 64, iteration 0; sent 0, received 0.*run: fi_pingpong .*-m tagged/,
    ],
    ['another protocol there', withTheirServer, NET, RXM, 7, /run: fi_pingpong -p net -d lo -e rdm .*FI_PROTO_XNET/],
    ['-c here only', withTheirServer, [...TCP, '-S', '64', '-c'], [...TCP, '-S', '64'], 6, /sends zeros/],
    ['-c there only', withTheirServer, [...TCP, '-S', '64'], [...TCP, '-S', '64', '-c'], 8, /peer lost in/],
    ['-c at our server only', withOurServer, [...TCP, '-S', '64', '-c'], [...TCP, '-S', '64'], 6, /sends zeros/],
    [
      'a provider that is not here',
      withTheirServer,
      ['-p', 'efa'],
      ['-p', 'udp'],
      3,
      /nothing here is efa.*fabric-info --why/,
    ],
  ])('explains %s', async (_, run, ours, theirs, code, message) => {
    const startedAt = performance.now();
    const outcome = await run(['--timeout', code === 7 ? '2' : '10', ...ours], theirs);
    expect(outcome.said).toMatch(message);
    expect(outcome.code).toBe(code);
    expect(performance.now() - startedAt).toBeLessThan(25_000);
  });

  it.each([
    ['msg', TCP],
    ['rdm', RXM],
  ])('says that the other end of %s died', async (_, way) => {
    const port = await freePort();
    const server = startClassic(['-B', String(port), '-v', ...way, '-I', '100000000', '-S', '64']);
    await listens(port, server);
    const outcome = session([...way, '-I', '100000000', '-S', '64'], { host: '127.0.0.1', port });
    while (!server.stderr.includes('Starting test chrono')) await new Promise((resolve) => setTimeout(resolve, 20));
    server.child.kill('SIGKILL');
    const { code, said } = await outcome;
    expect(said).toContain('peer lost in data (64 bytes)');
    expect(code).toBe(8);
  });

  it.each(DIRECTIONS)('reads fields in whatever pieces they come (%s)', async (_, run) => {
    const isServer = run === withOurServer;
    let proxy: Server | undefined;
    // between the two, each byte of C's end comes alone
    const through = async (to: number): Promise<number> => {
      proxy = createServer((socket) => {
        const onward = connect(to, '127.0.0.1');
        const [chopped, chopper] = isServer ? [onward, socket] : [socket, onward];
        const whole = isServer ? onward : socket;
        let before = Promise.resolve();
        chopper.on('data', (bytes: Buffer) => {
          before = before.then(() => chop(bytes, chopped));
        });
        whole.pipe(chopper);
        for (const end of [socket, onward]) end.setNoDelay(true).on('error', () => undefined);
        chopper.on('end', () => {
          void before.then(() => chopped.end());
        });
      });
      return await listenOn(proxy);
    };
    const args = [...TCP, '-S', '64'];
    try {
      if (isServer) {
        let client: Classic | undefined;
        const outcome = await session(args, {
          port: 0,
          onListening: ({ port }) => {
            void through(port).then(
              (proxied) => (client = startClassic(['-P', String(proxied), ...args, '127.0.0.1'])),
            );
          },
        });
        expect(outcome).toMatchObject({ code: 0, said: '' });
        expect(await client?.closed).toBe(0);
      } else {
        const port = await freePort();
        const server = startClassic(['-B', String(port), ...args]);
        await listens(port, server);
        expect(await session(args, { host: '127.0.0.1', port: await through(port) })).toMatchObject({
          code: 0,
          said: '',
        });
        expect(await server.closed).toBe(0);
      }
    } finally {
      proxy?.close();
    }
  });

  it("exits with C's numbers where it is asked to", async () => {
    const port = await freePort();
    const client = startOurs(['-P', String(port), '-p', 'tcp', '-e', 'msg', '--classic-exit', '127.0.0.1']);
    expect(await client.exitCode).toBe(111);
    expect(client.stderr).toContain('start fi_pingpong');
  });

  const name = (length: number[], format: number[], address = 16): Buffer =>
    Buffer.concat([Buffer.from(length), Buffer.from(format), Buffer.alloc(address)]);

  it.each([
    ['another program', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 6, /is no fi_pingpong/],
    ['a length in the order of the host', name([16, 0, 0, 0], [2, 0, 0, 0]), 6, /its name would be 268435456 bytes/],
    ['a name that is too long', name([0, 0, 8, 0], [2, 0, 0, 0]), 6, /its name would be 2048 bytes/],
    ['a format in network order', name([0, 0, 0, 16], [0, 0, 0, 2]), 6, /it has address format 33554432/],
    ['no format', name([0, 0, 0, 16], [0, 0, 0, 0]), 6, /it has address format 0/],
    ['silence', Buffer.alloc(0), 7, /stalled in name exchange: 0 of 8 bytes/],
    ['half a name', name([0, 0, 0, 16], [2, 0, 0, 0], 8), 7, /stalled in name exchange: 8 of 16 bytes/],
  ])('explains %s', async (_, bytes, code, message) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).write(bytes);
    });
    const port = await listenOn(server);
    const outcome = await session([...RXM, '--timeout', '1'], { host: '127.0.0.1', port });
    expect(outcome.said).toMatch(message);
    expect(outcome.code).toBe(code);
    server.close();
  });

  it('survives somebody who only looks whether the port is open, and says so', async () => {
    const outcome = await session(TCP, {
      port: 0,
      onListening: ({ port }) => {
        connect(port, '127.0.0.1', function (this: Socket) {
          this.destroy();
        }).on('error', () => undefined);
      },
    });
    expect(outcome.said).toMatch(/peer lost in (name exchange|endpoint set-up|connect): it/);
    expect(outcome.code).toBe(8);
  });

  it("never looks at the port of C's program itself", async ({ skip }) => {
    let seen = 0;
    const trap = createServer(() => seen++);
    const isFree = await listenOn(trap, 47_592).then(
      () => true,
      () => false,
    );
    if (!isFree) skip('something listens on port 47592 of this machine');
    const closed = String(await freePort());
    const client = programs.start(['127.0.0.1', '--port', closed, '--timeout', '2']);
    expect(await client.exitCode).toBe(5);
    const local = programs.start(['local', '--sizes', '64', '--iters', '10']);
    expect(await local.exitCode).toBe(0);
    expect(seen).toBe(0);
    trap.close();
  });
});

async function chop(bytes: Buffer, to: Socket): Promise<void> {
  for (const byte of bytes) {
    to.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { getInfo } from 'node-libfabric';
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

/** A port that was free a moment ago. */
async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

/** A listener is seen in /proc: connecting to look would end C's server. */
async function listens(port: string, classic: Classic): Promise<void> {
  const hex = Number(port).toString(16).toUpperCase().padStart(4, '0');
  for (;;) {
    const table = spawnSync('cat', ['/proc/net/tcp', '/proc/net/tcp6'], { encoding: 'utf8' }).stdout;
    if (new RegExp(`:${hex} [0-9A-F]+:0000 0A`).test(table)) return;
    if (classic.child.exitCode !== null) throw new Error(`fi_pingpong ended: ${classic.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Ends {
  ours: Program;
  theirs: Classic;
  codes: [number | null, number | null];
}

async function withTheirServer(ours: readonly string[], theirs = ours, ipv6 = false): Promise<Ends> {
  const port = await freePort();
  const server = startClassic(['-B', port, ...theirs]);
  await listens(port, server);
  const client = startOurs(['-P', port, ...ours, ipv6 ? '::1' : '127.0.0.1']);
  const code = await client.exitCode;
  if (code !== 0) server.child.kill('SIGKILL');
  return { ours: client, theirs: server, codes: [code, await server.closed] };
}

async function withOurServer(ours: readonly string[], theirs = ours, ipv6 = false): Promise<Ends> {
  const server = startOurs(['-B', '0', ...ours]);
  const port = await server.port();
  const client = startClassic(['-P', port, ...theirs, ipv6 ? '::1' : '127.0.0.1']);
  const code = await server.exitCode;
  if (code !== 0) client.child.kill('SIGKILL');
  return { ours: server, theirs: client, codes: [code, await client.closed] };
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

/** The first two columns of each line: what was measured, without how fast it was. */
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
      const way = ['-p', provider, '-e', type, ...more];
      const isHere = has(provider, `FI_EP_${type.toUpperCase()}`, 'FI_MSG');
      const isTagged = isHere && has(provider, `FI_EP_${type.toUpperCase()}`, 'FI_TAGGED');
      const missing = isHere ? '' : ` (skipped: this libfabric has no ${provider} ${type})`;
      const untagged = isTagged ? '' : ` (skipped: ${provider} ${type} has no tags)`;

      it.skipIf(!isHere).each([
        ['-S 64', ['-S', '64', '-I', '100']],
        ['default sizes', []],
        ['all sizes, -c', ['-S', 'all', '-I', '3', '-c']],
      ])(`%s${missing}`, async (_name, args) => {
        const { ours, theirs, codes } = await run([...way, ...args, '--classic'], [...way, ...args]);
        expect({ codes, stderr: theirs.stderr, ours: ours.stderr.replace(/^listening.*\n/, '') }).toEqual({
          codes: [0, 0],
          stderr: '',
          ours: '',
        });
        expect(measured(ours.stdout)).toEqual(measured(theirs.stdout));
        expect(measured(ours.stdout).length).toBeGreaterThan(1);
      });

      it.skipIf(!isTagged)(`tagged, -c${untagged}`, async () => {
        const args = [...way, '-m', 'tagged', '-c', '-I', '20'];
        const { ours, theirs, codes } = await run([...args, '--classic'], args);
        expect({ codes, stderr: theirs.stderr }).toEqual({ codes: [0, 0], stderr: '' });
        expect(measured(ours.stdout)).toEqual(measured(theirs.stdout));
      });
    });

    it('the control connection over IPv6', async () => {
      const args = ['-6', '-p', 'tcp', '-e', 'msg', '-S', '64', '-d', 'lo'];
      const { ours, codes } = await run([...args, '--json'], args, true);
      expect(codes).toEqual([0, 0]);
      expect(ours.json).toMatchObject({ ok: true, peerControlAddress: '::1', measurements: [{ size: 64 }] });
    });
  });

  const TCP = ['-p', 'tcp', '-e', 'msg', '-d', 'lo', '--timeout', '2'];
  const C_TCP = TCP.slice(0, -2);
  const RXM = ['-p', 'tcp;ofi_rxm', '-e', 'rdm', '-d', 'lo', '--timeout', '2'];
  const C_RXM = RXM.slice(0, -2);

  // What hangs or misleads C's program: here it is a sentence and an exit code.
  it.each<[string, typeof withTheirServer, string[], string[], number, RegExp]>([
    [
      'a smaller -S of ours',
      withTheirServer,
      [...TCP, '-S', '16'],
      [...C_TCP, '-S', '32'],
      6,
      /-S differs|16 were due/,
    ],
    [
      'a smaller -S of theirs',
      withTheirServer,
      [...TCP, '-S', '32'],
      [...C_TCP, '-S', '16'],
      6,
      /16 bytes arrived where 32 were due/,
    ],
    ['more sizes here', withTheirServer, RXM, [...C_RXM, '-S', '64'], 6, /fewer sizes/],
    [
      'more -I here',
      withTheirServer,
      [...RXM, '-S', '64', '-I', '20'],
      [...C_RXM, '-S', '64'],
      7,
      /stalled in data: size 64, iteration 10; sent \d+, received 10; likely provider, -S, -I or -m differ/,
    ],
    [
      'more -I at our server',
      withOurServer,
      [...RXM, '-S', '64', '-I', '20'],
      [...C_RXM, '-S', '64'],
      6,
      /after 10 round trips.*-I differs/,
    ],
    [
      '-m tagged there',
      withTheirServer,
      [...RXM, '-S', '64'],
      [...C_RXM, '-S', '64', '-m', 'tagged'],
      7,
      /stalled in data: size 64, iteration 0; sent 1, received 0/,
    ],
    [
      'another protocol there',
      withTheirServer,
      ['-p', 'net', '-e', 'rdm', '-d', 'lo', '--timeout', '2'],
      C_RXM,
      7,
      /run: fi_pingpong -p net -d lo -e rdm .*FI_PROTO_XNET/,
    ],
    [
      '-c here only',
      withTheirServer,
      [...TCP, '-S', '64', '-c'],
      [...C_TCP, '-S', '64'],
      6,
      /-c is on at this end only/,
    ],
    ['-c there only', withTheirServer, [...TCP, '-S', '64'], [...C_TCP, '-S', '64', '-c'], 8, /peer lost in/],
  ])('explains %s', async (_, run, ours, theirs, code, message) => {
    const ends = await run(ours, theirs);
    expect(ends.ours.stderr.replace(/\s+/g, ' ')).toMatch(message);
    expect(ends.codes[0]).toBe(code);
  });

  it('says that the other end died', async () => {
    const port = await freePort();
    const server = startClassic(['-B', port, '-v', ...C_RXM, '-I', '100000000', '-S', '64']);
    await listens(port, server);
    const client = startOurs(['-P', port, ...RXM, '-I', '100000000', '-S', '64', '127.0.0.1']);
    while (!server.stderr.includes('Starting test chrono')) await new Promise((resolve) => setTimeout(resolve, 20));
    server.child.kill('SIGKILL');
    expect(await client.exitCode).toBe(8);
    expect(client.stderr).toContain('peer lost in data (64 bytes)');
  });

  it("exits with C's numbers where it is asked to", async () => {
    const port = await freePort();
    const client = startOurs(['-P', port, '-p', 'tcp', '-e', 'msg', '--classic-exit', '127.0.0.1']);
    expect(await client.exitCode).toBe(111);
    expect(client.stderr).toContain('start fi_pingpong');
  });

  it.each([
    ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 6, /is no fi_pingpong/],
    ['silence', Buffer.alloc(0), 7, /stalled in name exchange: 0 of 8 bytes/],
  ])('explains %s', async (_, bytes, code, message) => {
    const server = createServer((socket) => {
      socket.write(bytes);
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const client = startOurs(['-P', String(port), ...RXM, '127.0.0.1']);
    expect(await client.exitCode).toBe(code);
    expect(client.stderr.replace(/\s+/g, ' ')).toMatch(message);
    server.close();
  });
});

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder } from '../../lib/bench/frame.js';
import { ENDLESS, Programs, TINY } from './program.js';

const programs = new Programs();
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await programs.endAll();
});

const SERVE = ['serve', '--bind', '127.0.0.1', '--port', '0'];

/** Sends bytes to a control port and leaves the connection open. */
async function dial(port: string, bytes: Buffer | string = ''): Promise<Socket> {
  const socket = connect(Number(port), '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  if (bytes.length > 0) socket.write(bytes);
  return socket;
}

/** The next message of the other end. */
async function nextMessage(socket: Socket): Promise<unknown> {
  const decoder = new FrameDecoder();
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    const [message] = decoder.push(chunk);
    if (message !== undefined) return message;
  }
}

const helloOfVersion = (protocolVersion: number): Buffer =>
  encodeFrame({ type: 'hello', program: 'node-libfabric-pingpong', protocolVersion });

describe('fabric-pingpong serve', () => {
  it('serves one client, and says whom', async () => {
    const server = programs.start([...SERVE, '--json']);
    const client = programs.start(['127.0.0.1', '--port', await server.port(), ...TINY]);
    expect(await client.exitCode).toBe(0);
    expect(await server.exitCode).toBe(0);
    expect(server.json).toMatchObject({
      ok: true,
      role: 'server',
      sessions: [{ peer: '127.0.0.1', ok: true, phases: 4 }],
    });
  });

  it.each([
    ['serve', ['--classic']],
    ['serve', ['--html', '/dev/null']],
    ['serve', ['--json=/dev/null']],
    ['compare', ['--classic', 'a.json', 'b.json']],
    ['--compat', ['fi_pingpong', '--html', '/dev/null']],
  ])('says that %s with %j would print nothing', async (first, args) => {
    const program = programs.start([first, ...args]);
    expect(await program.exitCode).toBe(2);
    const [option] = /--(classic|html|json)/.exec(args.join(' '))!;
    expect(program.stderr).toContain(`${option}${option === '--json' ? '=FILE' : ''} has no meaning with ${first}`);
    expect(program.stdout).toBe('');
  });

  it('says in one sentence that its port is in use', async () => {
    const first = programs.start(SERVE);
    const second = programs.start(['serve', '--bind', '127.0.0.1', '--port', await first.port()]);
    expect(await second.exitCode).toBe(5);
    expect(second.stderr).toMatch(/cannot listen on 127.0.0.1 port \d+: another process listens/);
    expect(second.stderr).not.toMatch(/\n\s+at /);
  });

  it.each([
    ['garbage', 'GET / HTTP/1.1\r\n\r\n', /no session: the other end does not speak/],
    ['a message that is no JSON', Buffer.of(0, 0, 0, 1, 0x7b), /no session: .* is not JSON/],
    ['another JSON', encodeFrame({ a: 1 }), /no session: .*its first message is no hello/],
  ])('survives %s, and serves the next client', async (_, bytes, said) => {
    const server = programs.start(SERVE);
    const port = await server.port();
    await dial(port, bytes);
    await server.says(said);
    const client = programs.start(['127.0.0.1', '--port', port, ...TINY]);
    expect(await client.exitCode).toBe(0);
    expect(await server.exitCode).toBe(0);
  });

  it('survives half a message and a connection that is only opened and closed', async () => {
    const server = programs.start(SERVE);
    const port = await server.port();
    (await dial(port, helloOfVersion(2).subarray(0, 20))).end();
    await server.says(/no session: peer lost in handshake: .* after 16 of \d+ bytes of a message/);
    (await dial(port)).end();
    await server.says(/no session: peer lost in handshake: it closed the connection 127|closed the connection $/);
    const client = programs.start(['127.0.0.1', '--port', port, ...TINY]);
    expect(await client.exitCode).toBe(0);
  });

  it('drops a client that says nothing at the deadline, and serves another meanwhile', async () => {
    const server = programs.start([...SERVE, '--keep', '--timeout', '2']);
    const port = await server.port();
    const silent = await dial(port);
    const client = programs.start(['127.0.0.1', '--port', port, ...TINY]);
    expect(await client.exitCode).toBe(0);
    expect(await nextMessage(silent)).toMatchObject({ type: 'stop', code: 'STALLED' });
    await server.says(/no session: stalled in handshake: nothing came from the other end within 2 s/);
  });

  it('refuses a client of another protocol version, naming both', async () => {
    const server = programs.start(SERVE);
    const client = await dial(await server.port(), helloOfVersion(99));
    expect(await nextMessage(client)).toMatchObject({
      type: 'stop',
      code: 'MISMATCH',
      message: expect.stringMatching(/version 2 of .* version 99$/) as string,
    });
    await server.says(/no session: this end speaks version 2 .* the other end version 99/);
  });

  it('tells a second client that it is busy, and keeps serving the first', async () => {
    const server = programs.start([...SERVE, '--keep']);
    const port = await server.port();
    const first = programs.start(['127.0.0.1', '--port', port, ...ENDLESS], { debug: true });
    await first.measures();
    const second = programs.start(['127.0.0.1', '--port', port, '--json', ...TINY]);
    expect(await second.exitCode).toBe(5);
    expect(second.json).toMatchObject({ ok: false, error: { code: 'BUSY', exitCode: 5 } });
    first.child.kill('SIGINT');
    expect(await first.exitCode).toBe(130);
    await server.says(/peer lost in latency \(64 bytes\): it was interrupted/);
    const third = programs.start(['127.0.0.1', '--port', port, ...TINY]);
    expect(await third.exitCode).toBe(0);
  });

  it('keeps serving after a client was killed, and ends on SIGINT', async () => {
    const server = programs.start([...SERVE, '--keep', '--json']);
    const port = await server.port();
    const client = programs.start(['127.0.0.1', '--port', port, ...ENDLESS], { debug: true });
    await client.measures();
    client.child.kill('SIGKILL');
    await server.says(/peer lost in latency/);
    const next = programs.start(['127.0.0.1', '--port', port, ...TINY]);
    expect(await next.exitCode).toBe(0);
    server.child.kill('SIGINT');
    expect(await server.exitCode).toBe(130);
    expect(server.json).toMatchObject({
      interrupted: true,
      sessions: [{ ok: false, error: { code: 'PEER_LOST' } }, { ok: true }],
    });
  });

  it('ends with the failure of its only session', async () => {
    const server = programs.start(SERVE);
    const client = programs.start(['127.0.0.1', '--port', await server.port(), ...ENDLESS], {
      debug: true,
    });
    await client.measures();
    client.child.kill('SIGKILL');
    expect(await server.exitCode).toBe(8);
  });
});

describe('fabric-pingpong <host>', () => {
  it.each([
    ['a port where nobody listens', ['127.0.0.1', '--port', '1'], /nothing listens there/],
    ['a host that does not exist', ['no.such.host.invalid'], /no such host/],
  ])('says in one sentence that it cannot reach %s', async (_, args, message) => {
    const program = programs.start([...args, '--json', ...TINY]);
    expect(await program.exitCode).toBe(5);
    expect(program.json).toMatchObject({
      ok: false,
      error: { code: 'UNREACHABLE', message: expect.stringMatching(message) as string },
    });
    expect(program.stderr).not.toMatch(/\n\s+at /);
  });

  /** Something that is no fabric-pingpong, and answers each connection its way. */
  async function impostor(answer: (socket: Socket) => void): Promise<string> {
    const listener = createServer((socket) => {
      sockets.push(socket);
      answer(socket);
    });
    listener.listen(0, '127.0.0.1').unref();
    await once(listener, 'listening');
    return String((listener.address() as AddressInfo).port);
  }

  it.each<[string, (socket: Socket) => void, number, RegExp]>([
    ['another version', (socket) => socket.write(helloOfVersion(1)), 6, /version 2 .* version 1$/],
    ['another program', (socket) => socket.write('SSH-2.0-OpenSSH_9\r\n'), 6, /does not speak/],
    ['silence', () => undefined, 7, /^stalled in handshake: nothing came .* within 1 s$/],
    ['half a message', (socket) => socket.write(Buffer.of(0, 0, 1, 0, 0x7b)), 7, /only 1 of 256 bytes/],
    ['the end', (socket) => socket.end(), 8, /^peer lost in handshake: it closed the connection$/],
  ])('answers %s with its own sentence and exit code', async (_, answer, exitCode, message) => {
    const args = ['127.0.0.1', '--port', await impostor(answer), '--json', '--timeout', '1'];
    const program = programs.start(args);
    expect(await program.exitCode).toBe(exitCode);
    expect(program.json).toMatchObject({
      ok: false,
      error: { exitCode, message: expect.stringMatching(message) as string },
    });
  });

  it('says where it stalled when the server is stopped in mid-run', async () => {
    // Not over shm: its ends take each other's locks, and one that is stopped with a lock of the other stops it as well.
    const server = programs.start([...SERVE, '-p', 'net']);
    const port = await server.port();
    const client = programs.start(['127.0.0.1', '--port', port, '--json', '--timeout', '1', ...ENDLESS], {
      debug: true,
    });
    await client.measures();
    server.child.kill('SIGSTOP');
    expect(await client.exitCode).toBe(7);
    expect(client.json).toMatchObject({
      error: {
        code: 'STALLED',
        message: expect.stringMatching(
          /^stalled in latency: size 64, iteration \d+; sent \d+, received \d+; likely the other end is stopped or starved, or the way to \S+ broke; run: fabric-doctor on both hosts$/,
        ) as string,
      },
    });
  });

  it('says what both ends offer when they have nothing in common', async () => {
    const server = programs.start([...SERVE, '-p', 'tcp']);
    const client = programs.start(['127.0.0.1', '--port', await server.port(), '-p', 'udp', '--json']);
    expect(await client.exitCode).toBe(6);
    expect(client.json).toMatchObject({
      error: {
        code: 'MISMATCH',
        message: expect.stringMatching(/no provider in common.*the server offers tcp/) as string,
      },
    });
    expect(await server.exitCode).toBe(6);
  });
});

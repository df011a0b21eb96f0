import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlChannel } from '../../lib/bench/control-channel.js';
import { BenchError } from '../../lib/bench/errors.js';
import { encodeFrame } from '../../lib/bench/frame.js';

describe('ControlChannel', () => {
  let listener: Server;
  let peer: Socket;
  let socket: Socket;

  beforeEach(async () => {
    listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const accepted = once(listener, 'connection');
    peer = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    [socket] = (await accepted) as [Socket];
  });

  afterEach(() => {
    peer.destroy();
    socket.destroy();
    listener.close();
  });

  const failure = (code: string, message: RegExp): unknown =>
    expect.objectContaining({ code, message: expect.stringMatching(message) as string });

  it('delivers messages in order, those included that came before anyone asked', async () => {
    const channel = new ControlChannel(socket, 5000);
    peer.write(Buffer.concat([encodeFrame({ type: 'go' }), encodeFrame({ type: 'done' })]));
    await once(socket, 'data');
    expect(await channel.receive('go')).toEqual({ type: 'go' });
    expect(await channel.receive('start', 'done')).toEqual({ type: 'done' });
  });

  it('delivers what came before the end of the connection, and then reports the end', async () => {
    const channel = new ControlChannel(socket, 5000);
    channel.phase = 'latency (64 bytes)';
    peer.end(encodeFrame({ type: 'go' }));
    await once(socket, 'close');
    expect(await channel.receive('go')).toEqual({ type: 'go' });
    await expect(channel.receive('end')).rejects.toThrow(
      failure('PEER_LOST', /^peer lost in latency \(64 bytes\): it closed the connection$/),
    );
  });

  it('says where a message was cut', async () => {
    const channel = new ControlChannel(socket, 5000);
    const frame = encodeFrame({ type: 'go' });
    peer.end(frame.subarray(0, 9));
    await expect(channel.receive('go')).rejects.toThrow(failure('PEER_LOST', /after 5 of 13 bytes of a message$/));
  });

  it('reports a reset connection while a read waits, and without one', async () => {
    const channel = new ControlChannel(socket, 5000);
    const read = channel.receive('go');
    peer.resetAndDestroy();
    await expect(read).rejects.toThrow(failure('PEER_LOST', /ECONNRESET/));
    expect(channel.failure).toEqual(failure('PEER_LOST', /peer lost in handshake/));
  });

  it('gives up on a silent peer at the deadline', async () => {
    const channel = new ControlChannel(socket, 50);
    await expect(channel.receive('go')).rejects.toThrow(
      failure('STALLED', /^stalled in handshake: nothing came from the other end within 0.05 s$/),
    );
  });

  it('gives up on half a message at the deadline', async () => {
    const channel = new ControlChannel(socket, 50);
    peer.write(Buffer.of(0, 0, 1));
    await expect(channel.receive('go')).rejects.toThrow(failure('STALLED', /only 3 of 4 bytes/));
  });

  it('reports garbage', async () => {
    const channel = new ControlChannel(socket, 5000);
    peer.write('GET / HTTP/1.1\r\n');
    await expect(channel.receive('go')).rejects.toThrow(failure('MISMATCH', /"GET "/));
  });

  it('refuses a message that is not due', async () => {
    const channel = new ControlChannel(socket, 5000);
    peer.write(encodeFrame({ type: 'done' }));
    await expect(channel.receive('go')).rejects.toThrow(failure('MISMATCH', /"done" came where "go" was due/));
  });

  it.each([
    ['BUSY', 'BUSY', /^the other end says: no room$/],
    ['INTERRUPTED', 'PEER_LOST', /^peer lost in handshake: it was no room$/],
    ['FAILED', 'PEER_LOST', /^peer lost in handshake: it failed: no room$/],
    ['NONSENSE', 'PEER_LOST', /without a valid reason/],
  ])('turns a stop with %s into %s', async (code, expected, message) => {
    const channel = new ControlChannel(socket, 5000);
    peer.write(encodeFrame({ type: 'stop', code, message: 'no room' }));
    await expect(channel.receive('go')).rejects.toThrow(failure(expected, message));
  });

  it('ends a read when the signal fires', async () => {
    const controller = new AbortController();
    const channel = new ControlChannel(socket, 5000, controller.signal);
    const read = channel.receive('go');
    controller.abort();
    await expect(read).rejects.toThrow(failure('INTERRUPTED', /interrupted in handshake/));
    await expect(channel.receive('go')).rejects.toThrow(failure('INTERRUPTED', /interrupted/));
  });

  it('tells the peer why it stops', async () => {
    const channel = new ControlChannel(socket, 5000);
    const other = new ControlChannel(peer, 5000);
    channel.stop(new BenchError('MISMATCH', 'versions differ'));
    await expect(other.receive('hello')).rejects.toThrow(failure('MISMATCH', /^the other end says: versions differ$/));
  });

  it('keeps from the peer what is none of its business', async () => {
    const channel = new ControlChannel(socket, 5000);
    const other = new ControlChannel(peer, 5000);
    channel.stop(new TypeError('a bug'));
    await expect(other.receive('hello')).rejects.toThrow(failure('PEER_LOST', /it failed: a bug$/));
  });
});

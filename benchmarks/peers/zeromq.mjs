/** The `zeromq` package: a pair of sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pair } from 'zeromq';

/** @typedef {import('./connection.mjs').Transport} Transport */

/** @type {Transport} */
export const zeromqTcp = transport(() => 'tcp://127.0.0.1:*');

/** @type {Transport} */
export const zeromqIpc = transport(() => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  return `ipc://${join(folder, 'socket')}`;
});

/**
 * @param {() => string} chooseAddress
 * @returns {Transport}
 */
function transport(chooseAddress) {
  return {
    async listen() {
      const socket = new Pair();
      await socket.bind(chooseAddress());
      return { address: socket.lastEndpoint ?? '', connection: Promise.resolve(wrap(socket)) };
    },
    connect(address) {
      const socket = new Pair();
      socket.connect(address);
      return Promise.resolve(wrap(socket));
    },
  };
}

/**
 * @param {Pair} socket
 * @returns {import('./connection.mjs').Connection}
 */
function wrap(socket) {
  /** @type {((message: Buffer) => void) | undefined} */
  let onMessage;
  async function read() {
    for await (const [message] of socket) onMessage?.(message);
  }
  return {
    send: (message) => socket.send(message),
    receive(_size, callback) {
      const isFirst = onMessage === undefined;
      onMessage = callback;
      if (isFirst) void read();
    },
    close() {
      socket.close();
    },
  };
}

/** Node's own sockets: TCP with noDelay, and Unix. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @typedef {import('./connection.mjs').Transport} Transport */

/** @type {Transport} */
export const tcp = {
  async listen() {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    return { address: String(address.port), connection: accepted(server) };
  },
  async connect(port) {
    return connected(createConnection({ host: '127.0.0.1', port: Number(port), noDelay: true }));
  },
};

/** @type {Transport} */
export const unix = {
  async listen() {
    const folder = mkdtempSync(join(tmpdir(), 'bench-'));
    process.once('exit', () => {
      rmSync(folder, { recursive: true, force: true });
    });
    const address = join(folder, 'socket');
    const server = createServer().listen(address);
    await once(server, 'listening');
    return { address, connection: accepted(server) };
  },
  async connect(address) {
    return connected(createConnection(address));
  },
};

/** @param {import('node:net').Server} server */
async function accepted(server) {
  /** @type {[import('node:net').Socket]} */
  const [socket] = /** @type {any} */ (await once(server, 'connection'));
  server.close();
  return wrap(socket);
}

/** @param {import('node:net').Socket} socket */
async function connected(socket) {
  await once(socket, 'connect');
  return wrap(socket);
}

/**
 * @param {import('node:net').Socket} socket
 * @returns {import('./connection.mjs').Connection}
 */
function wrap(socket) {
  let incoming = Buffer.alloc(0);
  let filled = 0;
  /** @type {(message: Buffer) => void} */
  let onMessage = (message) => {
    throw new Error(`nobody expects a message of ${message.length} bytes`);
  };
  // A stream has no messages: their size says where they end.
  socket.on('data', (/** @type {Buffer} */ chunk) => {
    for (let taken = 0; taken < chunk.length;) {
      const copied = chunk.copy(incoming, filled, taken);
      taken += copied;
      filled += copied;
      if (filled < incoming.length) continue;
      filled = 0;
      onMessage(incoming);
    }
  });
  return {
    send(message) {
      socket.write(message);
    },
    receive(size, callback) {
      if (incoming.length !== size) incoming = Buffer.alloc(size);
      onMessage = callback;
    },
    close() {
      socket.end();
    },
  };
}

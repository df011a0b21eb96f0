/** The `ws` package. */
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';

const LARGEST_MESSAGE = 1 << 26;

/** @type {import('./connection.mjs').Transport} */
export const websocket = {
  async listen() {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: LARGEST_MESSAGE });
    await once(server, 'listening');
    return { address: String(server.address().port), connection: accepted(server) };
  },
  async connect(port) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false, maxPayload: LARGEST_MESSAGE });
    await once(socket, 'open');
    return wrap(socket);
  },
};

/** @param {WebSocketServer} server */
async function accepted(server) {
  /** @type {[WebSocket]} */
  const [socket] = /** @type {any} */ (await once(server, 'connection'));
  server.close();
  return wrap(socket);
}

/**
 * @param {WebSocket} socket
 * @returns {import('./connection.mjs').Connection}
 */
function wrap(socket) {
  return {
    send(message) {
      socket.send(message);
    },
    receive(_size, callback) {
      socket.removeAllListeners('message');
      socket.on('message', callback);
    },
    close() {
      socket.close();
    },
  };
}

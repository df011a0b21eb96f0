/** The `@grpc/grpc-js` package: one stream both ways, of bytes as they are. */
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';

const PATH = '/bench.Bench/Exchange';
const UNLIMITED = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const asIs = (/** @type {Buffer} */ bytes) => bytes;

/** @type {import('./connection.mjs').Transport} */
export const grpc = {
  async listen() {
    const server = new Server(UNLIMITED);
    /** @type {Promise<import('./connection.mjs').Connection>} */
    const connection = new Promise((resolve) => {
      const method = {
        path: PATH,
        requestStream: true,
        responseStream: true,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      };
      server.addService(
        { exchange: method },
        {
          exchange(stream) {
            resolve(
              wrap(stream, () => {
                stream.end();
                server.forceShutdown();
              }),
            );
          },
        },
      );
    });
    const port = await new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return { address: String(port), connection };
  },
  connect(port) {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), UNLIMITED);
    const stream = client.makeBidiStreamRequest(PATH, asIs, asIs);
    return Promise.resolve(
      wrap(stream, () => {
        stream.end();
        client.close();
      }),
    );
  },
};

/**
 * @param {import('@grpc/grpc-js').Stream} stream
 * @param {() => void} close
 * @returns {import('./connection.mjs').Connection}
 */
function wrap(stream, close) {
  return {
    send(message) {
      stream.write(message);
    },
    receive(_size, callback) {
      stream.removeAllListeners('data');
      stream.on('data', callback);
    },
    close,
  };
}

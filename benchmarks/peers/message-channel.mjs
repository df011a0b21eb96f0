/** Two threads of one process and a MessageChannel: messages are copied, as postMessage does. */
import { MessageChannel, Worker, isMainThread, workerData } from 'node:worker_threads';
import { readOptions } from '../contenders/options.mjs';
import { report } from '../contenders/lines.mjs';
import { pinThread } from './pin.mjs';
import { runPhases } from './shapes.mjs';

/** @typedef {import('node:worker_threads').MessagePort} MessagePort */

/**
 * @param {MessagePort} port
 * @returns {import('./connection.mjs').Connection}
 */
function wrap(port) {
  return {
    send(message) {
      port.postMessage(message);
    },
    receive(_size, callback) {
      port.removeAllListeners('message');
      // A Buffer arrives as what it is made of.
      port.on('message', (/** @type {Uint8Array} */ { buffer, byteOffset, byteLength }) => {
        callback(Buffer.from(buffer, byteOffset, byteLength));
      });
    },
    close() {
      port.close();
    },
  };
}

const options = readOptions();
if (isMainThread) {
  pinThread(options.cores[0]);
  const { port1, port2 } = new MessageChannel();
  new Worker(new URL(import.meta.url), { workerData: port2, transferList: [port2], argv: process.argv.slice(2) });
  const connection = wrap(port1);
  const phases = await runPhases(connection, options);
  connection.close();
  report({ phases });
} else {
  pinThread(options.cores[1]);
  /** @type {MessagePort} */
  const port = workerData;
  await runPhases(wrap(port), { ...options, isClient: false });
}

/** One end of a measurement over the transport that --what names. */
import { hear, part, report, say } from '../contenders/lines.mjs';
import { readOptions } from '../contenders/options.mjs';
import { runPhases } from './shapes.mjs';

/** Loaded when it is wanted only. @type {Record<string, () => Promise<import('./connection.mjs').Transport>>} */
const transports = {
  tcp: async () => (await import('./sockets.mjs')).tcp,
  unix: async () => (await import('./sockets.mjs')).unix,
  'zeromq-tcp': async () => (await import('./zeromq.mjs')).zeromqTcp,
  'zeromq-ipc': async () => (await import('./zeromq.mjs')).zeromqIpc,
  websocket: async () => (await import('./websocket.mjs')).websocket,
  grpc: async () => (await import('./grpc.mjs')).grpc,
};

const options = readOptions();
const load = transports[options.what];
if (load === undefined) throw new Error(`--what: ${options.what} is none of ${Object.keys(transports).join(', ')}`);
const transport = await load();

async function meet() {
  if (options.isClient) return transport.connect(await hear());
  const { address, connection } = await transport.listen();
  say(address);
  return connection;
}

const connection = await meet();
const phases = await runPhases(connection, options);
await part();
connection.close();
report({ phases });
// Some keep handles open for a while.
process.exit();

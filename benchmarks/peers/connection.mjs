/**
 * What the loops want of a transport: messages of a known size, one after the other.
 *
 * @typedef {object} Connection
 * @property {(message: Buffer) => void | Promise<void>} send a promise where the next message has to wait
 * @property {(size: number, onMessage: (message: Buffer) => void) => void} receive what shall happen from now on with
 *   messages, which have `size` bytes each; the buffer is theirs until they return
 * @property {() => void} close
 *
 * @typedef {object} Transport
 * @property {() => Promise<{ address: string, connection: Promise<Connection> }>} listen
 * @property {(address: string) => Promise<Connection>} connect
 */
export {};

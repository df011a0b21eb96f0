/** The command line of every program here and in ../peers; that of ../reference is the same. */
import { parseArgs } from 'node:util';

/**
 * @typedef {object} Options
 * @property {boolean} isClient which of the two processes this is
 * @property {string} provider
 * @property {string | undefined} domain
 * @property {number[]} sizes bytes of a message, one phase each
 * @property {number} largest of the sizes
 * @property {number} seconds how long a phase counts …
 * @property {number} messages … or how many messages it has, where this is not 0
 * @property {number} window messages in flight
 * @property {string} shape of the loop, where a program has several: pingpong or window
 * @property {string} what which of the things that a program can measure
 * @property {number} addresses how many peers the address vector knows
 * @property {[number, number]} cores for the client's thread and the server's, where both are in one process
 * @property {number} endpoints how many endpoints this process has open
 */

/** @returns {Options} */
export function readOptions() {
  const { values } = parseArgs({
    options: {
      end: { type: 'string', default: 'client' },
      provider: { type: 'string', default: 'shm' },
      domain: { type: 'string' },
      sizes: { type: 'string', default: '64' },
      seconds: { type: 'string', default: '0.2' },
      messages: { type: 'string', default: '0' },
      window: { type: 'string', default: '64' },
      shape: { type: 'string', default: 'pingpong' },
      what: { type: 'string', default: '' },
      addresses: { type: 'string', default: '1' },
      cores: { type: 'string', default: '0,1' },
      endpoints: { type: 'string', default: '1' },
    },
  });
  const sizes = values.sizes.split(',').map(Number);
  const [clientCore = 0, serverCore = clientCore] = values.cores.split(',').map(Number);
  return {
    isClient: values.end === 'client',
    provider: values.provider,
    domain: values.domain,
    sizes,
    largest: Math.max(...sizes),
    seconds: Number(values.seconds),
    messages: Number(values.messages),
    window: Number(values.window),
    shape: values.shape,
    what: values.what,
    addresses: Number(values.addresses),
    cores: [clientCore, serverCore],
    endpoints: Number(values.endpoints),
  };
}

/** What is measured: each case is data. Latencies are one-way, of messages of 64 bytes. */

/** @typedef {{ provider: string, domain: string, size: number, iterations: number }} Case */

/** @type {Case[]} */
export const cases = [
  { provider: 'shm', domain: 'shm', size: 64, iterations: 100_000 },
  { provider: 'net', domain: 'lo', size: 64, iterations: 30_000 },
  { provider: 'tcp;ofi_rxm', domain: 'lo', size: 64, iterations: 30_000 },
];

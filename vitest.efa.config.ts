import { defineConfig } from 'vitest/config';
import ordinary from './vitest.config.js';

/** Contracts that efa keeps too: the same files as on the providers of every machine, each of which skips what efa has not. */
const CONTRACTS = [
  ...[
    'address-vector',
    'atomics',
    'buffer-pool',
    'completion-queue',
    'endpoint',
    'endpoint-cancel',
    'endpoint-close',
    'endpoint-messages',
  ],
  ...['endpoint-truncation', 'flow-control', 'idle', 'memory', 'memory-region', 'multi-receive', 'post-batch'],
  ...['process-end', 'processes', 'processes-atomics', 'processes-counters', 'processes-datagrams'],
  ...['processes-messages', 'processes-rma'],
  ...['processes-rma-failures', 'processes-tagged', 'progress', 'rma', 'worker'],
];

/** What runs on a software EFA device: scripts/test-efa.mjs. */
export default defineConfig({
  ...ordinary,
  test: {
    ...ordinary.test,
    include: ['test/efa/**/*.test.ts', ...CONTRACTS.map((name) => `test/${name}.test.ts`)],
    exclude: [],
    outputFile: { json: 'build/reports/test-efa.json' },
  },
});

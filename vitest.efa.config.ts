import { defineConfig } from 'vitest/config';
import ordinary from './vitest.config.js';

/** Contracts that do not ask which provider keeps them: the same files as on the providers of every machine. */
const CONTRACTS = [
  ...['address-vector', 'address-vector-many', 'atomics', 'c-peer', 'completion-queue', 'counter', 'describe'],
  ...['endpoint', 'endpoint-alias', 'endpoint-cancel', 'endpoint-close', 'endpoint-messages', 'endpoint-options'],
  ...['endpoint-truncation', 'flow-control', 'idle', 'lifetime', 'memory', 'memory-region', 'multi-receive'],
  ...['process-end', 'processes', 'processes-atomics', 'processes-contexts', 'processes-counters'],
  ...['processes-messages', 'processes-rma', 'processes-rma-failures', 'processes-tagged', 'progress', 'rma'],
  ...['scalable-endpoint', 'shared-context', 'worker'],
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

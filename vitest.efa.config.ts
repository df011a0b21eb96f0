import { defineConfig } from 'vitest/config';
import ordinary from './vitest.config.js';

/** Contracts that do not ask which provider keeps them: the same files as on the providers of every machine. */
const CONTRACTS = ['endpoint', 'flow-control', 'idle', 'process-end', 'progress', 'worker'];

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

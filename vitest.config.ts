import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const isContinuousIntegration = process.env['CI'] !== undefined;

export default defineConfig({
  resolve: {
    // the public entries, from source
    alias: [
      { find: /^node-libfabric$/, replacement: source('lib/index.ts') },
      { find: /^node-libfabric\/doctor$/, replacement: source('lib/doctor/index.ts') },
      { find: /^node-libfabric\/bench$/, replacement: source('lib/bench/index.ts') },
      { find: /^node-libfabric\/inventory$/, replacement: source('lib/inventory/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // they need a device: vitest.efa.config.ts
    exclude: ['test/efa/**'],
    globalSetup: ['test/helpers/stale-shared-memory.ts'],
    // a process per file: an addon is loaded once per process, and a crash names its file
    pool: 'forks',
    // network providers share the machine's ports and its two cores with the peers that tests start
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    retry: 0,
    reporters: isContinuousIntegration ? ['default', 'json'] : ['default'],
    outputFile: { json: 'build/reports/test.json' },
  },
});

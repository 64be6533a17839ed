import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those run inside a virtual machine: npm run test:vm.
    exclude: ['test/vm/**'],
    globalSetup: ['test/tools/global-setup.mjs'],
    // Forks: native calls and real file descriptors are per process, and a leak check must see only its own file's.
    pool: 'forks',
    testTimeout: 30_000,
    // npm run test:coverage
    coverage: {
      provider: 'v8',
      include: ['daemon/**/*.ts'],
      reporter: ['text', 'json-summary'],
      thresholds: { lines: 90, branches: 85 },
    },
    hookTimeout: 30_000,
  },
});

import { defineConfig } from 'vitest/config';

/** Inside a virtual machine: npm run test:vm. */
const IN_A_MACHINE = 'test/vm/**';
/** They measure how soon somebody is answered, which other tests beside them would spoil. */
const MEASURING = ['test/integration/hostile-clients.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/tools/global-setup.mjs'],
    // Forks: native calls and real file descriptors are per process, and a leak check must see only its own file's.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // npm run test:coverage
    coverage: {
      provider: 'v8',
      include: ['daemon/**/*.ts'],
      reporter: ['text', 'json-summary'],
      thresholds: { lines: 90, branches: 85 },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          exclude: [IN_A_MACHINE, ...MEASURING],
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: MEASURING, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});

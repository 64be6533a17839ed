import { defineConfig } from 'vitest/config';

/** The tests beside the code that is mutated: they alone are to find what is wrong with it. */
export default defineConfig({
  test: {
    include: ['test/daemon/constraints/*.test.ts', 'test/daemon/ledger/**/*.test.ts'],
    env: { PROPERTY_SHARE: '0.1' },
    testTimeout: 30_000,
  },
});

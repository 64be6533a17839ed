import { defineConfig } from 'vitest/config';

/** The tests beside the code that is mutated: they alone are to find what is wrong with it. */
export default defineConfig({
  test: {
    include: ['test/daemon/constraints/*.test.ts', 'test/daemon/ledger/**/*.test.ts'],
    env: { PROPERTY_SHARE: '0.1' },
    // One process for all files: what it costs to begin one is most of what a mutant would.
    isolate: false,
    testTimeout: 30_000,
  },
});

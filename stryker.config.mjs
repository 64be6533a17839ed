/** Mutation testing of what decides and of what counts: `npm run test:mutation`. */
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.mutation.config.ts' },
  plugins: ['@stryker-mutator/vitest-runner'],
  mutate: ['daemon/constraints/**/*.ts', 'daemon/ledger/**/*.ts'],
  ignorePatterns: ['/dist', '/coverage', '/reports', '/test/vm', '/client/man', '/policy'],
  concurrency: 1,
  // Survivors are few enough to be read one by one.
  reporters: ['clear-text', 'json'],
  clearTextReporter: { logTests: false, allowColor: false },
  jsonReporter: { fileName: 'reports/mutation.json' },
  thresholds: { high: 90, low: 85, break: 80 },
  // Property tests look for a mistake in thousands of examples, and a machine may be busy.
  timeoutMS: 20_000,
};

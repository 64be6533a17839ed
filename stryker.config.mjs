/** Mutation testing of what decides and of what counts: `npm run test:mutation`. */
export default {
  testRunner: 'vitest',
  // Which tests there are is said there; to find those that a file is related to takes longer than to run them.
  vitest: { configFile: 'vitest.mutation.config.ts', related: false },
  plugins: ['@stryker-mutator/vitest-runner'],
  mutate: ['daemon/constraints/**/*.ts', 'daemon/ledger/**/*.ts'],
  ignorePatterns: ['/dist', '/coverage', '/reports', '/test/vm', '/client/man', '/policy'],
  coverageAnalysis: 'perTest',
  // Tables that are made when a module is loaded: the tests' process has it loaded already, and would not see the mutant.
  ignoreStatic: true,
  // What a run found is not looked for again until the code or its tests change.
  incremental: true,
  incrementalFile: 'reports/mutation-incremental.json',
  concurrency: 2,
  // Survivors are few enough to be read one by one.
  reporters: ['progress-append-only', 'clear-text', 'json'],
  clearTextReporter: { logTests: false, allowColor: false },
  jsonReporter: { fileName: 'reports/mutation.json' },
  thresholds: { high: 90, low: 85, break: 80 },
  // Beyond what the tests take on a busy machine: a mistake that never ends costs so long.
  timeoutMS: 3_000,
  timeoutFactor: 1.25,
};

/** The command line is not what it should be (exit code 2); the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What the program ends with. */
export const EXIT = { done: 0, refused: 1, wrongUse: 2, noDaemon: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

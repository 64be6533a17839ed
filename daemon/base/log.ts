import type { MessageName } from './messages.js';

/** What stands beside the text of a message: which one it is, and values that the journal has as fields (`daemon/service/journald.ts`). */
export interface Details {
  readonly event: MessageName;
  readonly [field: string]: unknown;
}

/** The log, as every room sees it; pino's logger is one. What only helps to find a mistake is `debug`, and has no name. */
export interface Log {
  debug(details: object, text: string): void;
  info(details: Details, text: string): void;
  warn(details: Details, text: string): void;
  error(details: Details, text: string): void;
  fatal(details: Details, text: string): void;
}

export type WarningLog = Pick<Log, 'warn'>;

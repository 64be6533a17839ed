/** Told what trials could not learn, for the log alone: it names heaps. pino's logger is one. */
export interface TrialLog {
  warn(details: object, message: string): void;
}

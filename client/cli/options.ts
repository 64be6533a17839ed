/** An option: a flag, or with `value` (its name in the help) one that takes a value. */
export interface Option {
  readonly name: string;
  readonly value?: string;
  readonly repeats?: boolean;
  readonly text: string;
}

/** What may stand after a verb. */
export interface Shape {
  /** Operands as the help shows them: `POOL BYTES`, `[DEVICE]`. */
  readonly operands?: string;
  /** Whether a command may follow after `--`. */
  readonly takesCommand?: boolean;
  readonly options?: readonly Option[];
}

/** Options that stand before or after any verb. */
export const GLOBAL_OPTIONS: readonly Option[] = [
  { name: 'bus', value: 'BUS', text: 'system (the default), session, or a D-Bus address' },
  { name: 'json', text: 'write JSON, the form that does not change' },
  { name: 'help', text: 'explain, and do nothing' },
  { name: 'version', text: 'say the version, and do nothing' },
];

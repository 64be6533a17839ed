import type { Readable } from 'node:stream';

import type { Broker } from '../broker.js';
import type { ConnectOptions } from '../connect.js';
import type { Arguments, Shape } from './arguments.js';
import type { Output } from './output.js';
import type { ExitCode } from './usage.js';

/** Where a person types, or a program writes. */
export interface Input extends Readable {
  readonly isTTY?: boolean;
  /** For a terminal: whether each key is told at once, and none means anything to the kernel. */
  setRawMode?(raw: boolean): unknown;
}

/** What a verb works with. */
export interface Context {
  readonly out: Output;
  /** Write JSON instead of text. */
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** The package's own policy directory. */
  readonly shipped: string;
  readonly stdin: Input;
  /** The person wants it to end (Ctrl-C), or it can go on no longer. */
  readonly stop: AbortSignal;
  /** Connects when first asked; the caller of the verb closes. `--bus` goes before an option. @throws {DmabrokerError} */
  readonly connect: (options?: ConnectOptions) => Promise<Broker>;
  /** A line on stderr. */
  readonly warn: (text: string) => void;
}

/** One verb of dmabrokerctl: everything that help, completion and the parser know of it, and what it does. */
export interface Verb extends Shape {
  readonly name: string;
  /** One line of help. */
  readonly summary: string;
  /** Paragraphs below the options in the verb's own help. */
  readonly notes?: readonly string[];
  /** @returns what the program ends with; a verb whose command ended with a code of its own passes that on */
  run(context: Context, args: Arguments): Promise<ExitCode | { readonly command: number }>;
}

import { writeFile } from 'node:fs/promises';

import { toJson } from './json.js';
import { formatPairs, formatTable, printable, type Column, type Style } from './table.js';
import { UsageError } from './usage.js';

/** The part of a terminal or file that is written to. */
export interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  /** The terminal's size changed. */
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;
export type Colour = keyof typeof COLOURS;

/** What a verb says on stdout: text for people, or JSON. */
export class Output {
  readonly #sink: Sink;
  readonly #env: NodeJS.ProcessEnv;
  readonly #coloured: boolean;

  /** @param env `NO_COLOR` and `TERM` decide, with the sink being a terminal, whether there are colours */
  constructor(sink: Sink, env: NodeJS.ProcessEnv) {
    this.#sink = sink;
    this.#env = env;
    const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
    this.#coloured = sink.isTTY === true && !plain;
  }

  /** The terminal that is written to, where it knows how to move a cursor; undefined for a file, a pipe or a dumb one. */
  get terminal(): Sink | undefined {
    return this.#sink.isTTY === true && this.#env['TERM'] !== 'dumb' ? this.#sink : undefined;
  }

  /** One line; control characters in it are made visible. */
  line(text = ''): void {
    this.#sink.write(`${printable(text)}\n`);
  }

  colour(colour: Colour, text: string): string {
    return this.#coloured ? `\u{1b}[${COLOURS[colour]}m${text}\u{1b}[0m` : text;
  }

  /** A table as wide as the terminal; in a file or pipe, every row is one line. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[], style?: Style): void {
    this.lines(
      formatTable(columns, rows, this.#width, (text, row, column) =>
        row < 0 ? this.colour('bold', text) : (style?.(text, row, column) ?? text),
      ),
    );
  }

  pairs(pairs: readonly (readonly [name: string, values: readonly string[]])[]): void {
    this.lines(formatPairs(pairs, this.#width));
  }

  /** Lines whose text was made safe before. */
  lines(lines: readonly string[]): void {
    for (const line of lines) this.#sink.write(`${line}\n`);
  }

  /** Text that is written as it is. */
  document(text: string): void {
    this.#sink.write(text);
  }

  /** One JSON document. */
  json(value: unknown): void {
    this.#sink.write(`${JSON.stringify(toJson(value), undefined, 2)}\n`);
  }

  /** One JSON document in one line, for a stream of them. */
  jsonLine(value: unknown): void {
    this.#sink.write(`${JSON.stringify(toJson(value))}\n`);
  }

  /** Room for a text that is printed once: as wide as the terminal, and as long as it likes. */
  get size(): { readonly width: number; readonly height: number } {
    return { width: this.#width, height: Infinity };
  }

  get #width(): number {
    return this.#sink.isTTY === true ? (this.#sink.columns ?? Infinity) : Infinity;
  }
}

/** Writes what a verb made where the person said. @throws {UsageError} when it cannot be written there */
export async function writeTo(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : `${file} cannot be written`, { cause });
  }
}

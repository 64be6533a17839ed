import { DUMP_LIMITS, DumpError, type DumpText } from './dump-types.js';

/** One line of a dump. */
export interface DumpLine {
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

/** What is wrong with a line, for a person. */
export const atLine = ({ name }: Pick<DumpText, 'name'>, line: number, problem: string): DumpError =>
  new DumpError(`${name}:${line}: ${problem}`);

/**
 * The lines of a text dump, without what logging tools put before each (`/dev/video19 | `).
 * @throws {DumpError} a line that no tool writes
 */
export function linesOf(dump: DumpText): readonly DumpLine[] {
  return dump.text.split(/\r?\n/).map((line, index) => {
    if (line.length > DUMP_LIMITS.lineBytes) throw atLine(dump, index + 1, 'the line is too long');
    return { text: line.replace(/^\/dev\/video\d+ \| /, ''), number: index + 1 };
  });
}

/** Counts what a dump has of something, and refuses more than any machine has. @throws {DumpError} */
export function requireFewer(
  dump: Pick<DumpText, 'name'>,
  line: number,
  count: number,
  most: number,
  what: string,
): void {
  if (count >= most) throw atLine(dump, line, `more than ${most} ${what}`);
}

/** What a driver or a card may be called, as the kernel has it; control characters are none. */
export const plainName = (text: string): string => text.replace(/\p{C}/gu, '').trim().slice(0, 64);

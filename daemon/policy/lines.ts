import type { ProblemKind } from './problem.js';

/** Characters that one line may have, with the lines that continue it. */
export const MAX_LINE_CHARS = 65_536;

/** A place in a file, both numbers from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A line of a policy file with the lines that continue it; neither empty nor a comment. */
export interface LogicalLine {
  /** Without the space around it; each continuation is one space. */
  readonly text: string;
  /** Where the character at this offset of `text` stands in the file. */
  at(offset: number): Place;
  /** Why nothing in it can count. */
  readonly problem?: { readonly kind: ProblemKind; readonly text: string };
}

/**
 * The lines of a policy file, read as systemd reads its own: `#` and `;` begin a comment, also between continued lines;
 * a backslash at the end continues a line. Takes any bytes: a byte order mark is skipped, CR LF ends a line as LF does.
 */
export function* logicalLines(bytes: Uint8Array): Generator<LogicalLine> {
  const text = new TextDecoder().decode(bytes);
  let open: Builder | undefined;
  let number = 0;
  for (const raw of physicalLines(text)) {
    number += 1;
    const content = raw.trimStart();
    if (content.startsWith('#') || content.startsWith(';')) continue;
    if (content === '' && open === undefined) continue;
    const continued = endsInContinuation(content);
    open ??= new Builder();
    open.add(continued ? content.slice(0, -1) : content, {
      line: number,
      column: raw.length - content.length + 1,
    });
    if (continued) continue;
    yield open.line();
    open = undefined;
  }
  if (open !== undefined) yield open.line();
}

/** Without the LF or CR LF that ends each; the last may have none. */
function* physicalLines(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end === -1 ? undefined : end);
    yield line.endsWith('\r') ? line.slice(0, -1) : line;
    start = end === -1 ? text.length : end + 1;
  }
}

/** An even number of backslashes is so many backslashes; the last of an odd number continues the line. */
function endsInContinuation(line: string): boolean {
  let end = line.length;
  while (end > 0 && line[end - 1] === '\\') end -= 1;
  return (line.length - end) % 2 === 1;
}

class Builder {
  readonly #parts: string[] = [];
  readonly #starts: (Place & { readonly offset: number })[] = [];
  #length = 0;

  add(part: string, place: Place): void {
    if (this.#length > MAX_LINE_CHARS) return;
    if (this.#starts.length > 0) this.#length += 1;
    this.#starts.push({ ...place, offset: this.#length });
    this.#parts.push(part);
    this.#length += part.length;
  }

  line(): LogicalLine {
    const starts = this.#starts;
    const at = (offset: number): Place => {
      const part = starts.findLast((start) => start.offset <= offset) ?? { line: 1, column: 1, offset: 0 };
      return { line: part.line, column: part.column + offset - part.offset };
    };
    if (this.#length > MAX_LINE_CHARS) {
      return {
        text: '',
        at,
        problem: { kind: 'line-too-long', text: `line of more than ${MAX_LINE_CHARS} characters` },
      };
    }
    const text = this.#parts.join(' ').trimEnd();
    return isText(text)
      ? { text, at }
      : { text, at, problem: { kind: 'not-text', text: 'not text: UTF-8 without control characters is' } };
  }
}

/** No control characters but the tab, and nothing that the decoder had to replace. */
function isText(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || (code >= 0x7f && code < 0xa0) || code === 0xfffd) return false;
  }
  return true;
}

import type { Block, Row } from './comment.js';

/** Longest line of the source that mdoc(7) likes. */
const LONGEST = 78;

/** Text for roff: nothing in it is a request or an escape, and every sentence begins a line, as mdoc(7) wants it. */
export const prose = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .split(/(?<=\.) (?=\w)/)
    .flatMap((sentence) => filled(sentence))
    .map(escaped)
    .join('\n');

function filled(text: string, width = LONGEST): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

export const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replace(/^(?=[.'])/, '\\&')
    .replace(
      /[^\n -~]/gu,
      (letter) => `\\[u${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    );

/** An argument of a macro: in quotes, so that spaces and words that are macros themselves do no harm. */
export const quoted = (text: string): string => `"${escaped(text).replaceAll('"', '""')}"`;

/** Blocks below each other. @param follows whether something stands before them, so that they begin a paragraph */
export const blocksText = (blocks: readonly Block[], follows = false): string =>
  blocks
    .map((block, index) => {
      // What is displayed on lines of its own brings its own space.
      const opens = block.kind === 'table' || block.kind === 'example';
      return `${(index > 0 || follows) && !opens ? '.Pp\n' : ''}${blockText(block)}`;
    })
    .join('\n');

function blockText(block: Block): string {
  switch (block.kind) {
    case 'text':
      return prose(block.text);
    case 'note':
      return `.Em ${block.word} :\n${prose(block.text)}`;
    case 'table':
      return tableText(block.rows);
    case 'example':
      return literal(block.lines);
  }
}

/** Columns that an example has on a terminal of 80, where a list is around it. */
const NARROWEST = 62;

/** Commands, each broken at spaces where it is long, as a shell takes it. */
function literal(lines: readonly string[]): string {
  const commands = lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const broken = commands.flatMap((command) => {
    const parts = filled(command, NARROWEST - CONTINUED.length);
    return parts.map(
      (part, index) => (index === 0 ? '' : '  ') + part + (index < parts.length - 1 ? ' \\' : ''),
    );
  });
  return ['.Bd -literal -offset 2n', ...broken.map(escaped), '.Ed'].join('\n');
}

/** What breaking a line adds to it. */
const CONTINUED = '   \\';

function tableText(rows: readonly Row[]): string {
  const heads = rows.map(({ key, type }) => (type === undefined ? key : `${key} ${type}`));
  const widest = heads.reduce((longest, head) => (head.length > longest.length ? head : longest), '');
  return [
    `.Bl -tag -width ${quoted(widest)} -compact`,
    ...rows.flatMap(({ key, type, text }) => [
      `.It Cm ${quoted(key)}${type === undefined ? '' : ` Vt ${quoted(type)}`}`,
      prose(text),
    ]),
    '.El',
  ].join('\n');
}

/** One line of a table in a comment: `pitch-multiple   u   every plane's pitch …`. */
export interface Row {
  readonly key: string;
  /** Signature, where the table has a column of them. */
  readonly type?: string;
  readonly text: string;
}

/** What a doc comment of the XML consists of. */
export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'table'; readonly rows: readonly Row[] }
  /** `Errors: …`, `Polkit: …`: what stands behind the word. */
  | { readonly kind: 'note'; readonly word: string; readonly text: string }
  | { readonly kind: 'example'; readonly lines: readonly string[] };

const NOTE = /^(Errors|Polkit): +(.*)$/;
const EXAMPLE = /^Example:(.*)$/;
const ROW = /^( *)(\S+) {2,}(?:([a-z(){}]+) {2,})?(\S.*)$/;

/** Takes a comment apart; indentation counts from its own. */
export function readComment(comment: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = dedented(comment);
  while (lines.length > 0) {
    const [line = ''] = lines;
    if (line === '') lines.shift();
    else if (EXAMPLE.test(line)) blocks.push(takeExample(lines));
    else if (NOTE.test(line)) blocks.push(takeNote(lines));
    else if (ROW.test(line)) blocks.push({ kind: 'table', rows: takeRows(lines) });
    else
      blocks.push({
        kind: 'text',
        text: take(lines, (next) => next !== '' && !startsOther(next)).join('\n'),
      });
  }
  return blocks;
}

const startsOther = (line: string): boolean => EXAMPLE.test(line) || NOTE.test(line) || ROW.test(line);

function dedented(comment: string): string[] {
  const lines = comment
    .replace(/^\s*\n/, '')
    .trimEnd()
    .split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  // The first line of a comment that begins behind its opening has lost its own.
  const least = Math.min(...(indents.length > 1 ? indents.slice(1) : indents));
  return lines.map((line) => (line.search(/\S/) < least ? line.trim() : line.slice(least)).trimEnd());
}

/** The first line, and those after it for which it holds. */
function take(lines: string[], goesOn: (line: string) => boolean): readonly string[] {
  const first = lines.shift() ?? '';
  const end = lines.findIndex((line) => !goesOn(line));
  return [first, ...lines.splice(0, end < 0 ? lines.length : end)];
}

function takeExample(lines: string[]): Block {
  const [head = '', ...rest] = take(lines, (line) => line.startsWith(' '));
  const behind = (EXAMPLE.exec(head)?.[1] ?? '').trim();
  return {
    kind: 'example',
    lines: [...(behind === '' ? [] : [behind]), ...dedented(rest.join('\n'))].filter(Boolean),
  };
}

function takeNote(lines: string[]): Block {
  const text = take(lines, (line) => line.startsWith(' '));
  const [, word = '', behind = ''] = NOTE.exec(text[0] ?? '') ?? [];
  return { kind: 'note', word, text: [behind, ...text.slice(1).map((line) => line.trim())].join('\n') };
}

function takeRows(lines: string[]): readonly Row[] {
  const rows: Row[] = [];
  const indent = ROW.exec(lines[0] ?? '')?.[1] ?? '';
  for (;;) {
    const [, before, key = '', type, text = ''] = ROW.exec(lines[0] ?? '') ?? [];
    if (before !== indent) return rows;
    const [, ...more] = take(lines, (line) => line.startsWith(`${indent}  `));
    rows.push({
      key,
      ...(type !== undefined && { type }),
      text: [text, ...more.map((line) => line.trim())].join('\n'),
    });
  }
}

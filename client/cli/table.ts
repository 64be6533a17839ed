export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** Its cells may be broken into several lines where the table is too wide. */
  readonly wraps?: boolean;
}

/** Changes how a cell looks, not how wide it is: it is given the text after padding. The titles are row −1. */
export type Style = (text: string, row: number, column: number) => string;

const GAP = '  ';
/** No column is made narrower. */
const MIN_COLUMN_WIDTH = 10;

/** A table for people: titles, then rows, aligned, at most `width` characters wide where wrapping allows it. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  style: Style = (text) => text,
): readonly string[] {
  const titles = columns.map(({ title }) => title);
  const clean = rows.map((row) => row.map(printable));
  const widths = columnWidths(columns, [titles, ...clean], width);
  const head = titles.every((title) => title === '') ? [] : lines(titles, -1, columns, widths, style);
  return [...head, ...clean.flatMap((cells, row) => lines(cells, row, columns, widths, style))];
}

/** Names and values below each other; a value of several lines stays in its column. */
export function formatPairs(
  pairs: readonly (readonly [name: string, values: readonly string[]])[],
  width: number,
): readonly string[] {
  const columns = [{ title: '' }, { title: '', wraps: true }];
  const rows = pairs.flatMap(([name, values]) =>
    values.map((value, index) => [index === 0 ? name : '', value]),
  );
  return formatTable(columns, rows, width);
}

/** What comes from elsewhere must not steer the terminal. */
export const printable = (text: string): string => text.replace(/\p{C}/gu, '\u{fffd}');

function columnWidths(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly number[] {
  const widths = columns.map((_, column) => Math.max(...rows.map((cells) => widthOf(cells[column] ?? ''))));
  const total = (): number => widths.reduce((sum, each) => sum + each, GAP.length * (columns.length - 1));
  while (total() > width) {
    const narrowed = columns
      .map(({ wraps }, column) => (wraps === true ? (widths[column] ?? 0) : 0))
      .reduce((widest, each, column, all) => (each > (all[widest] ?? 0) ? column : widest), 0);
    const current = widths[narrowed] ?? 0;
    if (columns[narrowed]?.wraps !== true || current <= MIN_COLUMN_WIDTH) break;
    widths[narrowed] = current - 1;
  }
  return widths;
}

function lines(
  cells: readonly string[],
  row: number,
  columns: readonly Column[],
  widths: readonly number[],
  style: Style,
): readonly string[] {
  const broken = columns.map((column, index) => {
    const text = cells[index] ?? '';
    return column.wraps === true ? wrap(text, widths[index] ?? 0) : [text];
  });
  const height = Math.max(...broken.map((parts) => parts.length));
  return Array.from({ length: height }, (_, line) =>
    columns
      .map(({ align }, index) => {
        const text = broken[index]?.[line] ?? '';
        const fill = ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(text)));
        return style(align === 'right' ? fill + text : text + fill, row, index);
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** Breaks text at spaces, and where a word alone is too long, inside it: behind a sign if there is one. */
export function wrap(text: string, width: number): readonly string[] {
  const result: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') result.push(line);
    const letters = lettersOf(word);
    while (letters.length > width) {
      const sign = letters.findLastIndex((letter, index) => index < width && SIGNS.has(letter));
      result.push(letters.splice(0, sign > 0 ? sign + 1 : width).join(''));
    }
    line = letters.join('');
  }
  return [...result, line];
}

/** Where paths and names may be broken. */
const SIGNS: ReadonlySet<string> = new Set('/:_,=');

const SEGMENTS = new Intl.Segmenter('en', { granularity: 'grapheme' });
const lettersOf = (text: string): string[] => Array.from(SEGMENTS.segment(text), ({ segment }) => segment);
/** Letters as a person counts them. */
export const widthOf = (text: string): number => lettersOf(text).length;

/** As much of a line as there is room for. */
export function clipped(text: string, width: number): string {
  const letters = lettersOf(text);
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

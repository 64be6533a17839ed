/** Columns that a line of a profile may have. */
const WIDTH = 110;
const STEP = 2;

/**
 * JSON that a person can read and compare: what fits on a line stands on one, and long lists of short values fill
 * their lines.
 */
export const formatJson = (value: unknown): string => `${format(value, 0, 0)}\n`;

/** @param indent of the line that the value starts on @param used columns that stand before it */
function format(value: unknown, indent: number, used: number): string {
  const flat = onOneLine(value);
  if (used + flat.length < WIDTH || typeof value !== 'object' || value === null) return flat;
  const inner = indent + STEP;
  const lines = Array.isArray(value) ? itemLines(value, inner) : memberLines(value, inner);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const pad = ' '.repeat(inner);
  return `${open ?? ''}\n${pad}${lines.join(`,\n${pad}`)}\n${' '.repeat(indent)}${close ?? ''}`;
}

function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${onOneLine(item)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

const memberLines = (value: object, indent: number): readonly string[] =>
  Object.entries(value).map(([key, item]) => {
    const name = `${JSON.stringify(key)}: `;
    return name + format(item, indent, indent + name.length);
  });

function itemLines(items: readonly unknown[], indent: number): readonly string[] {
  if (items.some((item) => typeof item === 'object'))
    return items.map((item) => format(item, indent, indent));
  const lines: string[] = [];
  for (const item of items.map(onOneLine)) {
    const line = lines.at(-1);
    if (line !== undefined && indent + line.length + item.length + 2 < WIDTH)
      lines[lines.length - 1] = `${line}, ${item}`;
    else lines.push(item);
  }
  return lines;
}

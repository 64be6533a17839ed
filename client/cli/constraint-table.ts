import type { ConstraintInfo } from '../model.js';
import { toJson } from './json.js';
import type { MemoryName } from './memory-names.js';
import type { Output } from './output.js';
import { valueText } from './value-text.js';

/** What a constraint does in a decision, for the last column. */
export type Mark = (info: ConstraintInfo) => string;
export const CONFLICT = 'conflict';

const INDENT = '  ';

/**
 * Prints constraints below the devices that they belong to. Those that differ in nothing but the source share a row,
 * because every memory says much the same.
 */
export function constraintTable(
  out: Output,
  constraints: readonly ConstraintInfo[],
  memory: MemoryName,
  mark: Mark = () => '',
): void {
  const sourceText = (source: string): string =>
    source.startsWith(MEMORY) ? memory(source.slice(MEMORY.length)) : source;
  const rowOf = (alike: readonly ConstraintInfo[]) =>
    alike.slice(0, 1).map((info) => ({
      cells: [
        INDENT + info.constraint,
        valueText(info, memory),
        alike.map(({ source }) => sourceText(source)).join(', '),
        mark(info),
      ],
      mark: mark(info),
    }));
  const rows = groups(constraints, subjectOf).flatMap(([subject, ofSubject]) => [
    { cells: [subject, '', '', ''], mark: '' },
    ...groups(ofSubject, (info) => JSON.stringify([mark(info), said(info)])).flatMap(([, alike]) =>
      rowOf(alike),
    ),
  ]);
  out.table(
    [
      { title: 'CONSTRAINT' },
      { title: 'VALUE', wraps: true },
      { title: 'SOURCE', wraps: true },
      { title: rows.some((row) => row.mark !== '') ? 'DECIDES' : '' },
    ],
    rows.map(({ cells }) => cells),
    (text, row) => {
      const decides = rows[row]?.mark ?? '';
      return decides === '' ? text : out.colour(decides === CONFLICT ? 'red' : 'green', text);
    },
  );
}

/** How the source of a memory's own properties begins. */
const MEMORY = 'memory:';

const subjectOf = ({ entry, device, source }: ConstraintInfo): string => {
  if (entry >= 0) return `${entry}: ${device}`;
  return source.startsWith(MEMORY) ? 'memory' : 'request';
};

/** Everything of a constraint but who says it. */
const said = ({ entry, device, constraint, value }: ConstraintInfo) =>
  toJson({ entry, device, constraint, value });

/** Items that have the same key, in the order in which each key first came. */
function groups<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): readonly (readonly [string, readonly T[]])[] {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = found.get(key);
    if (group === undefined) found.set(key, [item]);
    else group.push(item);
  }
  return [...found];
}

import type { ConstraintInfo } from '../model.js';
import { toJson } from './json.js';
import type { MemoryName } from './memory-names.js';
import type { Output } from './output.js';
import { sourceText, valueText } from './words.js';

/** What a constraint does in a decision, for the last column. */
export type Mark = (info: ConstraintInfo) => string;
export const CONFLICT = 'conflict';

/** Prints constraints; those that differ in nothing but the source share a row, because every memory says much the same. */
export function constraintTable(
  out: Output,
  constraints: readonly ConstraintInfo[],
  memory: MemoryName,
  mark: Mark = () => '',
): void {
  const rows = grouped(constraints, mark);
  const marked = rows.some((row) => row.mark !== '');
  out.table(
    [
      { title: 'CONSTRAINT' },
      { title: 'VALUE', wraps: true },
      { title: 'DEVICE' },
      { title: 'SOURCE', wraps: true },
      ...(marked ? [{ title: 'DECIDES' }] : []),
    ],
    rows.map(({ info, sources, mark: text }) => [
      info.constraint,
      valueText(info, memory),
      info.entry < 0 ? '' : `${info.entry}: ${info.device}`,
      sources.map((source) => sourceText(source, memory)).join(', '),
      ...(marked ? [text] : []),
    ]),
    (text, row) => {
      const decides = rows[row]?.mark ?? '';
      return decides === '' ? text : out.colour(decides === CONFLICT ? 'red' : 'green', text);
    },
  );
}

interface Row {
  readonly info: ConstraintInfo;
  readonly sources: string[];
  readonly mark: string;
}

function grouped(constraints: readonly ConstraintInfo[], mark: Mark): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const info of constraints) {
    const text = mark(info);
    const key = JSON.stringify([text, toJson({ ...info, source: undefined })]);
    const row = rows.get(key);
    if (row === undefined) rows.set(key, { info, sources: [info.source], mark: text });
    else row.sources.push(info.source);
  }
  return [...rows.values()];
}

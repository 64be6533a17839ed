import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';

import { USES } from '../../../dbus/names.js';
import type { TrialRecord } from './record.js';

/** Version of the file; one of another version is not read. */
const VERSION = 1;
const exact = { additionalProperties: false };
const Key = Type.String({ minLength: 1 });

const Verdict = Type.Object(
  {
    reachable: Type.Boolean(),
    // It is shown to clients and in logs.
    source: Type.String({ pattern: '^trial:[A-Z][A-Z0-9_]{0,39}(:[A-Za-z0-9 ]{1,20})?$' }),
    uses: Type.Optional(Type.Array(Type.Enum([...USES]), { uniqueItems: true })),
  },
  exact,
);

const Document = Type.Object(
  {
    version: Type.Enum([VERSION]),
    machine: Type.String(),
    classes: Type.Array(Type.Object({ heap: Key, class: Type.Enum(['contiguous', 'scattered']) }, exact)),
    reach: Type.Array(
      Type.Object({ pair: Key, verdicts: Type.Array(Verdict, { minItems: 1, maxItems: 16 }) }, exact),
    ),
  },
  exact,
);

/** What a file says, or what is wrong with it. */
export type ReadFile =
  { readonly machine: string; readonly record: TrialRecord } | { readonly problem: string };

/** Reads what `printRecord` wrote; takes any text and throws nothing. */
export function parseRecord(text: string): ReadFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'is not JSON' };
  }
  const version = typeof value === 'object' && value !== null && 'version' in value && value.version;
  if (typeof version === 'number' && version !== VERSION) return { problem: `is of version ${version}` };
  const [error] = Value.Errors(Document, value);
  if (error !== undefined) return { problem: `${error.instancePath || '/'} ${error.message}` };
  const { machine, classes, reach } = value as Static<typeof Document>;
  return {
    machine,
    record: {
      classes: new Map(classes.map((entry) => [entry.heap, entry.class])),
      reach: new Map(reach.map(({ pair, verdicts }) => [pair, verdicts])),
    },
  };
}

/** The file's text, an entry a line. @param most bytes that it may have: entries beyond are left out */
export function printRecord(machine: string, { classes, reach }: TrialRecord, most: number): string {
  let room = most - Buffer.byteLength(frame(machine, [], []));
  const fitting = (entries: readonly object[]): readonly string[] => {
    const lines: string[] = [];
    for (const entry of entries) {
      const line = JSON.stringify(entry);
      room -= Buffer.byteLength(line) + SEPARATOR.length;
      if (room < 0) break;
      lines.push(line);
    }
    return lines;
  };
  const ofClasses = fitting([...classes].map(([heap, value]) => ({ heap, class: value })));
  const ofReach = fitting([...reach].map(([pair, verdicts]) => ({ pair, verdicts })));
  return frame(machine, ofClasses, ofReach);
}

const SEPARATOR = ',\n';

const frame = (machine: string, classes: readonly string[], reach: readonly string[]): string =>
  [
    `{"version":${VERSION},"machine":${JSON.stringify(machine)},`,
    `"classes":[\n${classes.join(SEPARATOR)}\n],`,
    `"reach":[\n${reach.join(SEPARATOR)}\n]}\n`,
  ].join('\n');

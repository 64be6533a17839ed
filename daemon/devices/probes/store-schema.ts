import { Errors } from 'typebox/schema';

import { USES } from '../../../dbus/names.js';
import type { ProbeRecord } from './probe-record.js';
import { RETENTIONS, type Fact, type Retention } from '../inventory.js';
import type { ProbeResult } from './result.js';

/** Version of the file; one of another version is not read. */
const FILE_VERSION = 1;
const KEY = { type: 'string', minLength: 1 };

/** An object with these members and no others. */
const object = (properties: Readonly<Record<string, object>>, optional: readonly string[] = []): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
  additionalProperties: false,
});
const array = (items: object, limits: object = {}): object => ({ type: 'array', items, ...limits });

const RESULT = object(
  {
    reachable: { type: 'boolean' },
    // It is shown to clients and in logs.
    source: { type: 'string', pattern: '^trial:[A-Z][A-Z0-9_]{0,39}(:[A-Za-z0-9 ]{1,20})?$' },
    uses: array({ enum: USES }, { uniqueItems: true }),
  },
  ['uses'],
);

const SOURCE_OF_PROBE = { type: 'string', pattern: '^probe:[A-Z][A-Z0-9_]{0,39}(:[A-Z0-9]{1,20})?$' };

/**
 * The schema of a Stored. Written as JSON Schema, because a file is there at every start but the first, and what builds schemas is most
 * of their library.
 */
const STORED = object(
  {
    version: { const: FILE_VERSION },
    machine: { type: 'string' },
    classes: array(object({ heap: KEY, class: { enum: ['contiguous', 'scattered'] } })),
    retention: array(object({ heap: KEY, value: { enum: RETENTIONS }, source: SOURCE_OF_PROBE })),
    reach: array(object({ pair: KEY, verdicts: array(RESULT, { minItems: 1, maxItems: 16 }) })),
  },
  // An earlier version of the daemon wrote none.
  ['retention'],
);

interface Stored {
  readonly machine: string;
  readonly retention?: readonly ({ readonly heap: string } & Fact<Retention>)[];
  readonly classes: readonly { readonly heap: string; readonly class: 'contiguous' | 'scattered' }[];
  readonly reach: readonly { readonly pair: string; readonly verdicts: readonly ProbeResult[] }[];
}

/** What a file says, or what is wrong with it. */
export type ReadFile =
  { readonly machine: string; readonly record: ProbeRecord } | { readonly problem: string };

/** Reads what `printRecord` wrote; takes any text and throws nothing. */
export function parseRecord(text: string): ReadFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'is not JSON' };
  }
  const version = typeof value === 'object' && value !== null && 'version' in value && value.version;
  if (typeof version === 'number' && version !== FILE_VERSION) return { problem: `is of version ${version}` };
  const [, [error]] = Errors(STORED, value);
  if (error !== undefined) return { problem: `${error.instancePath || '/'} ${error.message}` };
  const { machine, classes, retention = [], reach } = value as Stored;
  return {
    machine,
    record: {
      classes: new Map(classes.map((entry) => [entry.heap, entry.class])),
      retention: new Map(retention.map(({ heap, ...fact }) => [heap, fact])),
      reach: new Map(reach.map(({ pair, verdicts }) => [pair, verdicts])),
    },
  };
}

/** The file's text, an entry a line. @param most bytes that it may have: entries beyond are left out */
export function printRecord(
  machine: string,
  { classes, retention, reach }: ProbeRecord,
  most: number,
): string {
  let room = most - Buffer.byteLength(frame(machine, [], [], []));
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
  const ofRetention = fitting([...retention].map(([heap, fact]) => ({ heap, ...fact })));
  const ofReach = fitting([...reach].map(([pair, verdicts]) => ({ pair, verdicts })));
  return frame(machine, ofClasses, ofRetention, ofReach);
}

const SEPARATOR = ',\n';

const frame = (
  machine: string,
  classes: readonly string[],
  retention: readonly string[],
  reach: readonly string[],
): string =>
  [
    `{"version":${FILE_VERSION},"machine":${JSON.stringify(machine)},`,
    `"classes":[\n${classes.join(SEPARATOR)}\n],`,
    `"retention":[\n${retention.join(SEPARATOR)}\n],`,
    `"reach":[\n${reach.join(SEPARATOR)}\n]}\n`,
  ].join('\n');

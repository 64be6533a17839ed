import { messageId } from '../base/messages.js';

/** Priorities of syslog(3), by the levels of pino. */
const PRIORITIES: readonly (readonly [level: number, priority: number])[] = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
  [0, 7],
];

/** What our own fields are called in the journal; others are in the message's text. */
export const FIELDS: ReadonlyMap<string, string> = new Map([
  ['allocation', 'DMABROKER_ALLOCATION'],
  ['client', 'DMABROKER_CLIENT'],
  ['code', 'DMABROKER_CODE'],
  ['member', 'DMABROKER_MEMBER'],
  ['uid', 'DMABROKER_UID'],
  ['device', 'DMABROKER_DEVICE'],
  ['came', 'DMABROKER_DEVICE'],
  ['went', 'DMABROKER_DEVICE'],
  ['heap', 'DMABROKER_HEAP'],
  ['unit', 'DMABROKER_UNIT'],
  ['loopDelayMs', 'DMABROKER_LOOP_DELAY_MS'],
]);

/** Bytes of one field: an entry has to fit in a datagram, and a reader needs no more. */
const MAX_FIELD_BYTES = 8192;

/** Priority of a line of pino's, as journald and syslog(3) count. */
export const priorityOf = (level: unknown): number =>
  PRIORITIES.find(([from]) => typeof level === 'number' && level >= from)?.[1] ?? 6;

/**
 * What pino logs as a datagram for journald (systemd.io, "Native Journal Protocol").
 * @param text the line for a person, without time and level
 */
export function journalEntry({ level, event, ...rest }: Record<string, unknown>, text: string): Buffer {
  const ours = Object.entries(rest).flatMap(([key, value]): [string, string][] => {
    const name = FIELDS.get(key);
    return name === undefined ? [] : plain(value).map((text) => [name, text]);
  });
  const id = messageId(event);
  const fields: readonly (readonly [string, string])[] = [
    ['MESSAGE', text],
    ['PRIORITY', String(priorityOf(level))],
    ['SYSLOG_IDENTIFIER', 'dmabrokerd'],
    ...(id === undefined ? [] : [['MESSAGE_ID', id] as const]),
    ...ours,
  ];
  return Buffer.concat(fields.map(([name, value]) => field(name, value)));
}

/** A field may stand there several times. */
const plain = (value: unknown): readonly string[] => {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((one) => typeof one === 'string' || typeof one === 'number').map(String);
};

/** With its length before it, so that a line feed in the value ends nothing. */
function field(name: string, value: string): Buffer {
  const bytes = Buffer.from(value).subarray(0, MAX_FIELD_BYTES);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')]);
}

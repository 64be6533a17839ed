import { fstatSync, writeSync } from 'node:fs';
import { inspect } from 'node:util';

import { destination, levels, pino, type Logger } from 'pino';

import { journalEntry, priorityOf } from './journald.js';
import { connectDatagrams, type DatagramSender } from '../kernel/datagram-socket.js';
import type { LogLevel } from './options.js';

const STDERR = 2;

/** Where journald takes entries with fields (systemd.io, "Native Journal Protocol"). */
const JOURNAL = '/run/systemd/journal/socket';

/** What stderr is. */
export type LogOutput = 'terminal' | 'journal' | 'file';

/** @param environment systemd says in JOURNAL_STREAM which file of the journal's stderr is (systemd.exec(5)) */
export function outputOf(isTerminal: boolean, environment: NodeJS.ProcessEnv): LogOutput {
  if (isTerminal) return 'terminal';
  const { dev, ino } = fstatSync(STDERR, { bigint: true });
  return environment['JOURNAL_STREAM'] === `${dev}:${ino}` ? 'journal' : 'file';
}

/** The daemon's log: text on a terminal, entries with fields in the journal, and else one JSON object a line on stderr. */
export function createLogger(level: LogLevel, output: LogOutput): Logger {
  const options = { level, base: null, serializers: { err: pino.stdSerializers.err } };
  // Synchronous, so that the last words before an exit are not lost.
  switch (output) {
    case 'terminal':
      return pino(options, { write: (line) => void writeSync(STDERR, textOf(line)) });
    case 'journal':
      return pino(options, { write: journalWriter(JOURNAL, (text) => void writeSync(STDERR, text)) });
    case 'file':
      return pino(options, destination({ dest: STDERR, sync: true }));
  }
}

/**
 * Writes lines of pino's to journald.
 * @param path where it listens
 * @param write takes what it does not, as lines with the priority before them (sd-daemon(3))
 */
export function journalWriter(path: string, write: (text: string) => void): (line: string) => void {
  const journal = openedOrNot(path);
  return (line) => {
    const fields = JSON.parse(line) as Record<string, unknown>;
    const text = messageOf(fields);
    if (journal !== undefined && sentOrNot(journal, journalEntry(fields, text))) return;
    const prefix = `<${priorityOf(fields['level'])}>`;
    write(
      `${text
        .split('\n')
        .map((row) => `${prefix}${row}`)
        .join('\n')}\n`,
    );
  };
}

function openedOrNot(path: string): DatagramSender | undefined {
  try {
    return connectDatagrams(path);
  } catch {
    return undefined;
  }
}

function sentOrNot(journal: DatagramSender, entry: Buffer): boolean {
  try {
    return journal.send(entry);
  } catch {
    return false;
  }
}

/** A line of JSON as text for a person: `12:34:56 warn  message key=value`. */
export function textOf(line: string): string {
  const fields = JSON.parse(line) as Record<string, unknown>;
  const { level, time } = fields;
  const name = typeof level === 'number' ? (levels.labels[level] ?? String(level)) : '';
  const clock = typeof time === 'number' ? new Date(time).toTimeString().slice(0, 8) : '';
  return `${clock} ${name.padEnd(5)} ${messageOf(fields)}\n`;
}

/** Fields that journald and a terminal show in a way of their own, or have no use for. */
const ELSEWHERE: readonly string[] = ['level', 'time', 'event'];

/** `message key=value`, and the error below it. */
function messageOf({ msg = '', err, ...rest }: Record<string, unknown>): string {
  const details = Object.entries(rest)
    .filter(([key]) => !ELSEWHERE.includes(key))
    .map(([key, value]) => ` ${key}=${shown(value)}`);
  return `${shown(msg)}${details.join('')}${errorText(err)}`;
}

/** On one line: what a device or a client calls itself must not move the cursor of a terminal. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(',');
  const text = inspect(value, { breakLength: Infinity });
  return typeof value === 'string' ? text.slice(1, -1) : text;
}

function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = error as Record<string, unknown>;
  const text = typeof stack === 'string' ? stack : message;
  return typeof text === 'string'
    ? text
        .split('\n')
        .map((row) => `\n${shown(row)}`)
        .join('')
    : '';
}

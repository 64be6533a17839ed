import { writeSync } from 'node:fs';
import { inspect } from 'node:util';

import { destination, levels, pino, type Logger } from 'pino';

import type { LogLevel } from './options.js';

const STDERR = 2;

/** The daemon's log on stderr: one JSON object a line, or text on a terminal. */
export function createLogger(level: LogLevel, isTerminal: boolean): Logger {
  const options = { level, base: null, serializers: { err: pino.stdSerializers.err } };
  // Synchronous, so that the last words before an exit are not lost.
  return isTerminal
    ? pino(options, { write: (line) => void writeSync(STDERR, textOf(line)) })
    : pino(options, destination({ dest: STDERR, sync: true }));
}

/** A line of JSON as text for a person: `12:34:56 warn  message key=value`. */
export function textOf(line: string): string {
  const { level, time, msg = '', err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const name = typeof level === 'number' ? (levels.labels[level] ?? String(level)) : '';
  const clock = typeof time === 'number' ? new Date(time).toTimeString().slice(0, 8) : '';
  const details = Object.entries(rest).map(([key, value]) => ` ${key}=${shown(value)}`);
  return `${clock} ${name.padEnd(5)} ${shown(msg)}${details.join('')}${errorText(err)}\n`;
}

/** On one line: what a device or a client calls itself must not move the cursor of a terminal. */
function shown(value: unknown): string {
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

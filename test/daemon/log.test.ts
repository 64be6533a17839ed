import { describe, expect, it } from 'vitest';

import { createLogger, textOf } from '../../daemon/log.js';

const time = new Date(2026, 0, 2, 3, 4, 5).getTime();
const line = (fields: object): string => `${JSON.stringify({ level: 30, time, ...fields })}\n`;

describe('the log on a terminal', () => {
  it('is a line of text for a person', () => {
    expect(textOf(line({ msg: 'ready', pools: 2, version: '1.0.0' }))).toBe(
      '03:04:05 info  ready pools=2 version=1.0.0\n',
    );
  });

  it('shows an error with where it came from', () => {
    const text = textOf(
      line({ level: 60, msg: 'no', err: { message: 'gone', stack: 'Error: gone\n    at x' } }),
    );
    expect(text).toBe('03:04:05 fatal no\nError: gone\n    at x\n');
    expect(textOf(line({ msg: 'no', err: { message: 'gone' } }))).toContain('\ngone\n');
  });

  it('keeps control characters of a message from the terminal', () => {
    expect(textOf(line({ msg: 'a\u001b[2Jb', name: 'c\nd' }))).toBe('03:04:05 info  a\\x1B[2Jb name=c\\nd\n');
  });
});

describe('createLogger', () => {
  it.each([true, false])('logs what its level lets through (terminal: %s)', (isTerminal) => {
    const logger = createLogger('error', isTerminal);
    expect(logger.isLevelEnabled('warn')).toBe(false);
    expect(logger.isLevelEnabled('error')).toBe(true);
  });
});

import { fstatSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { journalEntry } from '../../../daemon/service/journald.js';
import { listenForDatagrams } from '../../../daemon/kernel/datagram-socket.js';
import { MESSAGES } from '../../../daemon/base/messages.js';
import { createLogger, journalWriter, outputOf, textOf } from '../../../daemon/service/log.js';

const time = new Date(2026, 0, 2, 3, 4, 5).getTime();
const line = (fields: object): string => `${JSON.stringify({ level: 30, time, ...fields })}\n`;

describe('the log on a terminal', () => {
  it('is a line of text for a person', () => {
    expect(textOf(line({ msg: 'ready', pools: 2, version: '1.0.0' }))).toBe(
      '03:04:05 info  ready pools=2 version=1.0.0\n',
    );
  });

  it('joins what there are several of', () => {
    expect(textOf(line({ msg: 'refused', device: ['/dev/video0', 'a\nb'] }))).toBe(
      '03:04:05 info  refused device=/dev/video0,a\\nb\n',
    );
  });

  it('shows an error with where it came from', () => {
    const text = textOf(
      line({ level: 60, msg: 'no', err: { message: 'gone', stack: 'Error: gone\n    at x' } }),
    );
    expect(text).toBe('03:04:05 fatal no\nError: gone\n    at x\n');
    expect(textOf(line({ msg: 'no', err: { message: 'gone' } }))).toContain('\ngone\n');
  });

  it('does not show a person which message it is to the journal', () => {
    expect(textOf(line({ msg: 'ready', event: 'ready', pools: 2 }))).toBe('03:04:05 info  ready pools=2\n');
  });

  it('keeps control characters of a message from the terminal', () => {
    expect(textOf(line({ msg: 'a\u001b[2Jb', name: 'c\nd' }))).toBe('03:04:05 info  a\\x1B[2Jb name=c\\nd\n');
  });
});

describe('createLogger', () => {
  it.each(['terminal', 'journal', 'file'] as const)('logs what its level lets through (%s)', (output) => {
    const logger = createLogger('error', output);
    expect(logger.isLevelEnabled('warn')).toBe(false);
    expect(logger.isLevelEnabled('error')).toBe(true);
  });
});

describe('the journal', () => {
  const refused = {
    event: 'call-refused',
    msg: 'refused',
    uid: 1000,
    allocation: 'a\nPRIORITY=0',
    device: ['cpu', '/dev/video0'],
    err: { message: 'x' },
    heap: 'system',
  };

  it('gets entries with fields, in which nothing that a client chose ends one', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'dmabroker-journal-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    const path = join(directory, 'socket');
    const entries: string[] = [];
    using _listening = listenForDatagrams(path, ({ text }) => void entries.push(text));
    const spilled: string[] = [];
    journalWriter(path, (text) => void spilled.push(text))(line({ level: 40, ...refused }));
    await vi.waitFor(() => {
      expect(entries).toHaveLength(1);
    });
    const field = (name: string, value: string): string =>
      `${name}\n${String.fromCharCode(value.length)}${'\0'.repeat(7)}${value}\n`;
    const [entry = ''] = entries;
    for (const [name, value] of [
      ['PRIORITY', '4'],
      ['SYSLOG_IDENTIFIER', 'dmabrokerd'],
      ['DMABROKER_UID', '1000'],
      ['DMABROKER_ALLOCATION', 'a\nPRIORITY=0'],
      ['DMABROKER_HEAP', 'system'],
      ['DMABROKER_DEVICE', 'cpu'],
      ['DMABROKER_DEVICE', '/dev/video0'],
      ['MESSAGE_ID', MESSAGES['call-refused']],
    ] as const)
      expect(entry).toContain(field(name, value));
    expect(entry).toMatch(/^MESSAGE\n/);
    expect(entry.match(/^DMABROKER_/gm)).toHaveLength(5);
    expect(spilled).toEqual([]);
  });

  it('that does not listen gets lines with their priority', () => {
    const spilled: string[] = [];
    const { msg, event, uid, allocation, heap } = refused;
    const details = { level: 50, msg, event, uid, allocation, heap };
    journalWriter('/nowhere/socket', (text) => void spilled.push(text))(line(details));
    expect(spilled).toEqual(['<3>refused uid=1000 allocation=a\\nPRIORITY=0 heap=system\n']);
  });

  it('gets no id with what is none of the messages', () => {
    for (const event of ['toString', 'no-such-message', 7, undefined])
      expect(journalEntry({ level: 30, event }, 'text').toString()).not.toContain('MESSAGE_ID');
  });

  it('is where systemd says that stderr goes', () => {
    const { dev, ino } = fstatSync(2, { bigint: true });
    expect(outputOf(false, { JOURNAL_STREAM: `${dev}:${ino}` })).toBe('journal');
    expect(outputOf(false, { JOURNAL_STREAM: '1:2' })).toBe('file');
    expect(outputOf(true, { JOURNAL_STREAM: `${dev}:${ino}` })).toBe('terminal');
  });
});

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { printBlock } from '../../../../daemon/ledger/persist/block.js';
import { encodeRecord } from '../../../../daemon/ledger/persist/codec.js';
import { fileHeader, readJournal } from '../../../../daemon/ledger/persist/read-journal.js';
import type { StateRecord } from '../../../../daemon/ledger/persist/journal-record.js';
import { StateFiles } from '../../../../daemon/ledger/persist/state-files.js';

const BOOT = 'this-boot';
const buffer = (name: string, inode: bigint): StateRecord => ({
  kind: 'made',
  buffer: {
    name,
    inode,
    origin: { heap: 'h', kind: 'udmabuf', class: 'scattered', cpuAccess: 'cached', countsReferences: true },
    size: 1n,
    bytes: 4096n,
  },
});
const block = (...records: readonly StateRecord[]): string => printBlock(records.map(encodeRecord));

describe('what an earlier start left', () => {
  let directory: string;
  let warnings: object[];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'dmabroker-test-'));
    warnings = [];
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const write = (number: number, text: string): void => {
    writeFileSync(join(directory, `ledger.${number}`), text);
  };
  const read = (): readonly string[] => {
    const log = { warn: (details: object) => void warnings.push(details) };
    return [...readJournal(new StateFiles(directory), BOOT, log).buffers.keys()];
  };

  it('is read in the order of the files', () => {
    write(10, fileHeader(BOOT) + block({ kind: 'gone', name: 'a' }));
    write(9, fileHeader(BOOT) + block(buffer('a', 1n), buffer('b', 2n)));
    expect(read()).toEqual(['b']);
    expect(warnings).toEqual([]);
  });

  it('says nothing when it is of another boot, and is removed', () => {
    write(1, fileHeader('another') + block(buffer('a', 1n)));
    expect(read()).toEqual([]);
    expect(warnings).toEqual([]);
    expect(existsSync(join(directory, 'ledger.1'))).toBe(false);
  });

  it('counts but for a line that was being written', () => {
    const whole = fileHeader(BOOT) + block(buffer('a', 1n)) + block(buffer('b', 2n));
    write(1, whole.slice(0, -1));
    expect(read()).toEqual(['a']);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['foreign', 'rubbish\n'],
    ['other-version', printBlock(['dmabroker-ledger', 2, BOOT])],
  ])('is set aside when it is %s', (problem, text) => {
    write(1, text);
    expect(read()).toEqual([]);
    expect(warnings).toMatchObject([{ event: 'state-damaged', problem }]);
    expect(readFileSync(join(directory, 'ledger.1.unreadable'), 'utf8')).toBe(text);
  });

  it.each([
    [
      'a directory',
      (path: string) => {
        mkdirSync(path);
      },
    ],
    ['a directory with something in it', (path: string) => mkdirSync(join(path, 'x'), { recursive: true })],
    ['a pipe that nothing writes to', (path: string) => execFileSync('mkfifo', [path])],
    [
      'a link to itself',
      (path: string) => {
        symlinkSync(path, path);
      },
    ],
    [
      'a link to nothing',
      (path: string) => {
        symlinkSync('/nonexistent', path);
      },
    ],
  ])('is set aside and told where %s stands in its place', (_what, make) => {
    make(join(directory, 'ledger.1'));
    mkdirSync(join(directory, 'ledger.1.unreadable', 'in the way'), { recursive: true });
    write(2, fileHeader(BOOT) + block(buffer('a', 1n)));
    expect(read()).toEqual(['a']);
    expect(warnings).toMatchObject([{ event: 'state-damaged', problem: 'unreadable' }]);
    expect(new StateFiles(directory).list()).toEqual([2]);
  });

  it('is read at its start, and set aside, when it is larger than any ledger', () => {
    write(1, fileHeader(BOOT) + block(buffer('a', 1n)));
    truncateSync(join(directory, 'ledger.1'), 600 * 2 ** 20);
    expect(read()).toEqual(['a']);
    expect(warnings).toMatchObject([{ event: 'state-damaged', problem: 'damaged' }]);
  });

  it('keeps every whole line behind a header that is damaged', () => {
    const header = fileHeader(BOOT);
    const flipped = header.slice(0, 9) + String.fromCharCode(header.charCodeAt(9) ^ 1) + header.slice(10);
    write(1, flipped + block(buffer('a', 1n)) + block(buffer('b', 2n)));
    expect(read()).toEqual(['a', 'b']);
    expect(warnings).toMatchObject([{ event: 'state-damaged', problem: 'damaged' }]);
  });

  it('may be changed anywhere: then it is told, and what is read was written', () => {
    const text = fileHeader(BOOT) + ['a', 'b', 'c'].map((name) => block(buffer(name, 1n))).join('');
    fc.assert(
      fc.property(fc.nat({ max: text.length - 2 }), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        fc.pre(changed !== text);
        write(1, changed);
        warnings.length = 0;
        expect(['a', 'b', 'c']).toEqual(expect.arrayContaining([...read()]));
        expect(warnings).toMatchObject([{ event: 'state-damaged' }]);
      }),
    );
  });
});

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Journal } from '../../../../daemon/ledger/persist/journal.js';
import { readJournal } from '../../../../daemon/ledger/persist/read-journal.js';
import type { BufferRecord, StateRecord } from '../../../../daemon/ledger/persist/journal-record.js';
import { StateFiles, type StateFile } from '../../../../daemon/ledger/persist/state-files.js';
import { ManualTimers } from '../../manual-timers.js';

const BOOT = 'boot';

/** Files on a disk that can be full. */
class FailingFiles extends StateFiles {
  full = false;
  writes = 0;

  override create(number: number): StateFile {
    const file = super.create(number);
    return {
      ...file,
      append: (text) => {
        if (this.full) throw new Error('ENOSPC');
        this.writes += 1;
        file.append(text);
      },
    };
  }
}

describe('the journal', () => {
  let directory: string;
  let files: FailingFiles;
  let timers: ManualTimers;
  let warnings: string[];
  let journal: Journal;
  /** What there is, as its owner knows it. */
  let there: Map<string, BufferRecord>;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'dmabroker-test-'));
    files = new FailingFiles(directory);
    timers = new ManualTimers();
    warnings = [];
    there = new Map();
    journal = new Journal({
      files,
      boot: BOOT,
      later: timers.later,
      log,
      currentRecords: function* () {
        for (const buffer of there.values()) yield [{ kind: 'made', buffer }];
      },
    });
  });
  afterEach(() => {
    journal.close();
    rmSync(directory, { recursive: true });
  });

  const log = { warn: (_details: object, message: string) => void warnings.push(message) };
  const record = (name: string): BufferRecord => ({
    name,
    inode: 1n,
    origin: { heap: 'h', kind: 'udmabuf', class: 'scattered', cpuAccess: 'cached', countsReferences: true },
    size: 1n,
    bytes: 4096n,
  });
  const tell = (...told: readonly StateRecord[]): void => {
    for (const each of told) journal.add(each);
    journal.flush();
  };
  const make = (name: string): void => {
    const buffer = record(name);
    there.set(name, buffer);
    tell({ kind: 'made', buffer });
  };
  const end = (name: string): void => {
    there.delete(name);
    tell({ kind: 'gone', name });
  };
  const remembered = (): readonly string[] =>
    [...readJournal(new StateFiles(directory), BOOT, log).buffers.keys()].toSorted();
  const expectRemembered = (): void => {
    expect(remembered()).toEqual([...there.keys()].toSorted());
  };

  it('begins with what stands, in place of what was there before', () => {
    there.set('old', record('old'));
    new StateFiles(directory).create(7).close();
    journal.begin();
    expect(readdirSync(directory)).toEqual(['ledger.8']);
    make('new');
    expectRemembered();
  });

  it('writes once for all that is told together', () => {
    journal.begin();
    const before = files.writes;
    tell({ kind: 'gone', name: 'a' }, { kind: 'gone', name: 'b' });
    journal.flush();
    expect(files.writes - before).toBe(1);
  });

  it('remembers everything at every moment while a file is begun anew, whatever happens meanwhile', () => {
    journal.begin();
    for (let i = 0; i < 300; i += 1) make(`kept ${i}`);
    let i = 0;
    for (; readdirSync(directory).length < 2; i += 1) {
      make(`short ${i}`);
      end(`short ${i}`);
    }
    expectRemembered();
    for (let step = 0; readdirSync(directory).length > 1; step += 1) {
      make(`during ${step}`);
      end(`kept ${step * 40}`);
      expectRemembered();
      timers.pass(5);
      expectRemembered();
    }
    expect(remembered().length).toBeGreaterThan(280);
    expect(warnings).toEqual([]);
  });

  it('tells once of a full disk, keeps what it wrote before, and goes on when there is room', () => {
    journal.begin();
    make('a');
    files.full = true;
    make('b');
    end('a');
    timers.pass(10_000);
    make('c');
    expect(warnings).toHaveLength(1);
    expect(remembered()).toEqual(['a']);
    expect(files.list()).toEqual([1]);
    files.full = false;
    timers.pass(10_000);
    timers.pass(5);
    make('d');
    expectRemembered();
    expect(warnings).toHaveLength(1);
  });
});

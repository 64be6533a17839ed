import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { StateRecord } from '../../../../daemon/ledger/persist/journal-record.js';
import { SystemdFdStore } from '../../../../daemon/ledger/persist/systemd-fd-store.js';
import type { Origin } from '../../../../daemon/pools/fd-store.js';
import { closeAll, type OwnedFd } from '../../../../dbus/owned-fd.js';
import { FakeDmaBuf, FakeHeap, PAGE } from '../../fake-heap.js';
import { ManualTimers } from '../../manual-timers.js';
import { FakeManager } from './fake-manager.js';

const ORIGIN: Origin = {
  heap: 'h',
  kind: 'dma-heap',
  class: 'scattered',
  cpuAccess: 'cached',
  countsReferences: true,
};

describe('the strongbox', () => {
  let manager: FakeManager;
  let timers: ManualTimers;
  let dmaBuf: FakeDmaBuf;
  let records: StateRecord[];
  let flushed: number;
  let warnings: string[];
  let fds: OwnedFd[];
  beforeEach(() => {
    manager = new FakeManager();
    timers = new ManualTimers();
    dmaBuf = new FakeDmaBuf();
    records = [];
    flushed = 0;
    warnings = [];
    fds = [];
  });
  afterEach(() => {
    manager[Symbol.dispose]();
    closeAll(fds);
  });

  const boxOf = ({ managed = true, capacity = 10 } = {}): SystemdFdStore =>
    new SystemdFdStore({
      manager: managed ? manager : undefined,
      capacity,
      journal: {
        add: (record) => void records.push(record),
        flush: () => void (flushed = records.length),
      },
      inode: (fd) => dmaBuf.inode(fd),
      references: (fd) => dmaBuf.references(fd),
      later: timers.later,
      log: { warn: ({ event }) => void warnings.push(event) },
    });

  /** Numbers of new buffers. */
  async function made(count: number): Promise<readonly number[]> {
    const heap = new FakeHeap('h');
    const some = await Promise.all(Array.from({ length: count }, () => heap.allocate(PAGE)));
    fds.push(...some);
    return some.map(({ number }) => number);
  }

  const deposit = (box: SystemdFdStore, numbers: readonly number[], origin = ORIGIN): Promise<void> =>
    box.deposit(numbers.map((fd) => ({ fd, origin, size: 1n, bytes: PAGE })));

  /** Lets promises that are due settle. */
  async function turns(): Promise<void> {
    for (let i = 0; i < 20; i += 1) await Promise.resolve();
  }

  const ours = (box: SystemdFdStore, numbers: readonly number[]): readonly (number | undefined)[] =>
    numbers.map((fd) => box.ours(fd));

  it('writes a new buffer down before the manager has a copy, and then knows of it', async () => {
    const box = boxOf();
    const [fd = -1] = await made(1);
    expect(box.ours(fd)).toBe(1);
    await deposit(box, [fd]);
    const name = box.nameOf(fd) ?? '';
    expect(records).toEqual([
      { kind: 'made', buffer: { name, inode: dmaBuf.inode(fd), origin: ORIGIN, size: 1n, bytes: PAGE } },
    ]);
    expect(flushed).toBe(1);
    expect(manager.heard).toEqual([`FDSTORE=1 ${name}`]);
    expect(box.ours(fd)).toBe(2);
    expect(box.contents()).toEqual([{ number: fd, name }]);
    expect([...box.currentRecords()]).toEqual([records]);
  });

  it('does not know how many are ours while the manager has not come to it', async () => {
    const box = boxOf();
    manager.answers = false;
    const [fd = -1] = await made(1);
    const done = deposit(box, [fd]);
    await turns();
    expect(box.ours(fd)).toBeUndefined();
    manager.answer();
    await done;
    expect(box.ours(fd)).toBe(2);
  });

  it('sees by the references that the manager took no copy', async () => {
    const box = boxOf();
    manager.capacity = 1;
    const numbers = await made(2);
    await deposit(box, numbers);
    expect(ours(box, numbers)).toEqual([2, 1]);
    // What has no copy is forgotten without a word to the manager, and its name is free.
    const [, second = -1] = numbers;
    box.forget(second);
    expect(manager.heard.filter((text) => text.startsWith('FDSTOREREMOVE'))).toEqual([]);
    expect(records.at(-1)?.kind).toBe('gone');
  });

  it('takes memory whose references cannot be counted as kept, and so what cannot be told', async () => {
    const box = boxOf();
    manager.capacity = 0;
    const [plain = -1, unknown = -1] = await made(2);
    await deposit(box, [plain], { ...ORIGIN, countsReferences: false });
    dmaBuf.fail.add('references');
    await deposit(box, [unknown]);
    expect(ours(box, [plain, unknown])).toEqual([2, 2]);
  });

  it('keeps no copies where there is no manager', async () => {
    const box = boxOf({ managed: false });
    const [fd = -1] = await made(1);
    await deposit(box, [fd]);
    expect(box.ours(fd)).toBe(1);
    expect(box.nameOf(fd)).toHaveLength(3);
    expect(manager.heard).toEqual([]);
  });

  it('stores no more than there is room for, says so once, and again after there was room', async () => {
    const box = boxOf({ capacity: 2 });
    const numbers = await made(5);
    await deposit(box, numbers.slice(0, 3));
    expect(ours(box, numbers.slice(0, 3))).toEqual([2, 2, 1]);
    await deposit(box, numbers.slice(3, 4));
    expect(box.ours(numbers[3] ?? -1)).toBe(1);
    expect(warnings).toEqual(['store-full']);
    box.forget(numbers[0] ?? -1);
    await turns();
    await deposit(box, numbers.slice(4));
    expect(box.ours(numbers[4] ?? -1)).toBe(2);
    expect(warnings).toEqual(['store-full']);
    const more = await made(1);
    await deposit(box, more);
    expect(ours(box, more)).toEqual([1]);
    expect(warnings).toEqual(['store-full', 'store-full']);
  });

  it('has the copy dropped when a buffer goes, and gives its name to nobody before', async () => {
    const box = boxOf();
    const [fd = -1] = await made(1);
    await deposit(box, [fd]);
    const name = box.nameOf(fd) ?? '';
    manager.hasRoom = false;
    box.forget(fd);
    box.forget(fd);
    expect(box.ours(fd)).toBe(1);
    expect(box.nameOf(fd)).toBeUndefined();
    expect(records.slice(1)).toEqual([{ kind: 'gone', name }]);
    expect(manager.kept.size).toBe(1);
    manager.hasRoom = true;
    timers.pass(4);
    await turns();
    expect(manager.kept.size).toBe(1);
    timers.pass(1);
    await turns();
    expect(manager.kept.size).toBe(0);
    expect(manager.heard.at(-1)).toBe(`FDSTOREREMOVE=1 ${name}`);
  });

  it('waits two seconds for a manager that does not answer, and has it drop what it may have taken', async () => {
    const box = boxOf();
    manager.answers = false;
    const numbers = await made(2);
    const done = deposit(box, numbers);
    await turns();
    timers.pass(1999);
    await turns();
    expect(warnings).toEqual([]);
    timers.pass(1);
    await done;
    expect(warnings).toEqual(['manager-slow']);
    // Nobody knows whether there are copies, so nobody says.
    expect(ours(box, numbers)).toEqual([undefined, undefined]);
    // One of them is given up meanwhile.
    box.forget(numbers[0] ?? -1);
    manager.answer();
    await turns();
    expect(manager.kept.size).toBe(0);
    expect(ours(box, numbers)).toEqual([1, 1]);
  });

  it('goes on without a manager that is gone', async () => {
    const box = boxOf();
    const numbers = await made(2);
    await deposit(box, numbers.slice(0, 1));
    manager.isGone = true;
    await deposit(box, numbers.slice(1));
    await deposit(box, await made(1));
    expect(warnings).toEqual(['manager-gone']);
    expect(box.ours(numbers[1] ?? -1)).toBe(1);
  });

  it('knows buffers of an earlier start, with their names and copies', async () => {
    const box = boxOf({ capacity: 2 });
    const [stored = -1, handed = -1, fresh = -1] = await made(3);
    const record = (name: string, fd: number) => ({
      name,
      inode: dmaBuf.inode(fd),
      origin: ORIGIN,
      size: 1n,
      bytes: PAGE,
    });
    box.adopt(stored, record('aaa', stored), 1);
    box.adopt(handed, record('baa', handed), 0);
    expect(ours(box, [stored, handed])).toEqual([2, 1]);
    expect(box.nameOf(stored)).toBe('aaa');
    await deposit(box, [fresh]);
    // Both names are taken, and one place is.
    expect(box.nameOf(fresh)).toBe('caa');
    expect(box.ours(fresh)).toBe(2);
    await deposit(box, await made(1));
    expect(warnings).toEqual(['store-full']);
  });

  it('has copies dropped that nobody knows, and all of them when a successor has the buffers', async () => {
    const box = boxOf();
    const numbers = await made(2);
    manager.capacity = 1;
    await deposit(box, numbers);
    box.discard('xyz');
    await box.discardAll();
    const name = box.nameOf(numbers[0] ?? -1) ?? '';
    expect(manager.heard.slice(2)).toEqual(['FDSTOREREMOVE=1 xyz', `FDSTOREREMOVE=1 ${name}`]);
    expect(manager.kept.size).toBe(0);
  });
});

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Ledger } from '../../../../daemon/ledger/ledger.js';
import { Persistence } from '../../../../daemon/ledger/persist/restore.js';
import { StateFiles } from '../../../../daemon/ledger/persist/state-files.js';
import type { PoolTools } from '../../../../daemon/pools/tools.js';
import { DeferredClose } from '../../../../daemon/pools/deferred-close.js';
import type { PoolBuffer } from '../../../../daemon/pools/pool.js';
import type { Origin } from '../../../../daemon/pools/fd-store.js';
import { closeAll, type OwnedFd } from '../../../../dbus/owned-fd.js';
import { buffersOpen, PAGE } from '../../fake-heap.js';
import { expectNoBuffersOpen, makeTools, poolRig, taken, type PoolRig } from '../../pools/rig.js';
import { OWNER, termsOf } from '../orphaned-buffers.js';
import { FakeManager } from './fake-manager.js';

const NOTHING: ReadonlyMap<string, OwnedFd> = new Map();

/** One start of the daemon, as far as it holds anything. */
interface Life extends PoolRig {
  readonly deferredClose: DeferredClose;
  readonly persistence: Persistence;
  readonly ledger: Ledger;
  /** What the log was told, but for the text. */
  readonly logged: readonly object[];
  /** Heaps that were asked for by their pool. */
  readonly homes: readonly Origin[];
}

describe('what outlives a start', () => {
  let directory: string;
  let manager: FakeManager;
  let boot: string;
  let next: number;
  let life: Life;
  let clients: OwnedFd[];
  expectNoBuffersOpen();
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'dmabroker-test-'));
    manager = new FakeManager();
    boot = 'boot';
    next = 0;
    clients = [];
    life = begin(NOTHING);
  });
  afterEach(async () => {
    await end();
    closeAll(clients);
    manager[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });

  /** A start of the daemon that has these descriptors. @param stored whether the manager has copies of them */
  function begin(fds: ReadonlyMap<string, OwnedFd>, stored = true): Life {
    const made = makeTools();
    const { dmaBuf, timers } = made;
    const logged: object[] = [];
    const note = (details: object): void => void logged.push(details);
    const persistence = new Persistence({
      files: new StateFiles(directory),
      boot,
      inheritance: { fds, stored },
      manager,
      capacity: 100,
      dmaBuf,
      later: timers.later,
      log: { info: note, warn: note },
    });
    const { fdStore, allocationLog } = persistence;
    const inUse = (fd: number): boolean => dmaBuf.references(fd) > (fdStore.ours(fd) ?? 1);
    const closer = new DeferredClose(fdStore);
    const shared = {
      ...made,
      closer,
      tools: { ...made.tools, deferredClose: closer, fdStore, inUse } satisfies PoolTools,
    };
    const rig = poolRig({ shared, warm: 16n * PAGE });
    const ledger = new Ledger({
      randomHex: () => `id${next++}`,
      now: () => 42n,
      later: timers.later,
      clock: timers.clock,
      inUse: ({ fd }) => inUse(fd.number),
      events: {
        allocationAdded: () => undefined,
        allocationChanged: () => undefined,
        allocationRemoved: () => undefined,
        poolsUsed: () => undefined,
      },
      allocationLog,
    });
    const homes: Origin[] = [];
    const home = (origin: Origin): typeof rig.pool => {
      homes.push(origin);
      return rig.pool;
    };
    persistence.restore({ poolForOrigin: home }, ledger);
    return { ...rig, deferredClose: closer, persistence, ledger, logged, homes };
  }

  /** The process is no more: nothing is written any longer, and its descriptors are closed. */
  async function end(): Promise<void> {
    life.persistence.close();
    life.ledger.close();
    // The manager does not hear of what ends with it.
    manager.isGone = true;
    life.pool.close();
    manager.isGone = false;
    for (const { held, orphaned } of life.ledger.allocations)
      for (const { fd } of [...held, ...orphaned]) fd.close();
    // What a thread still closes would count as somebody's reference.
    await life.deferredClose.settled();
  }

  /** What a client has after it was sent these. */
  const send = (buffers: readonly PoolBuffer[]): readonly OwnedFd[] => {
    const sent = buffers.map(({ fd }) => fd.dup());
    clients.push(...sent);
    return sent;
  };

  async function restart(fds: ReadonlyMap<string, OwnedFd> = manager.handOut()): Promise<void> {
    await end();
    life = begin(fds);
  }

  /** Waits until so many bytes lie ready. */
  const untilReady = (bytes: bigint): Promise<void> =>
    vi.waitFor(async () => {
      await life.settle();
      expect(life.pool.warm).toBe(bytes);
    });

  const inodes = (buffers: Iterable<PoolBuffer>): readonly bigint[] =>
    [...buffers].map(({ fd }) => life.dmaBuf.inode(fd.number)).toSorted();
  const only = () => {
    const [allocation, ...others] = life.ledger.allocations;
    if (allocation === undefined || others.length > 0) throw new Error('not one allocation');
    return allocation;
  };

  it('is nothing at first', () => {
    expect(life.logged).toEqual([]);
    expect([...life.ledger.allocations]).toEqual([]);
    expect(readdirSync(directory)).toEqual(['ledger.1']);
  });

  it('is an allocation, with its owner, what it is of and its buffers', async () => {
    const buffers = await taken(life.pool, PAGE, 3);
    const terms = { ...termsOf(life.pool), label: 'a label' };
    const allocation = life.ledger.record(terms, buffers.slice(0, 2));
    life.ledger.grow(allocation, buffers.slice(2));
    life.ledger.delivered(allocation, buffers);
    send(buffers);
    const [before, there] = [life.ledger.views(), inodes(buffers)];
    await restart();
    expect(life.ledger.views()).toEqual(before);
    expect(inodes(only().held)).toEqual(there);
    expect(life.ledger.liveBytes).toBe(3n * PAGE);
    expect(life.pool.shares.heldBy(OWNER.uid)).toBe(3n * PAGE);
    expect(
      life.homes.every(({ class: its, countsReferences }) => its === 'scattered' && countsReferences),
    ).toBe(true);
    expect(life.logged).toEqual([{ event: 'buffers-taken-over', held: 3, idle: 0 }]);
    // Each is ours but for the manager's copy, so that it is free as soon as its client lets go.
    closeAll(clients.splice(0));
    life.ledger.ownerLeft(OWNER);
    expect(life.ledger.liveBuffers).toBe(0);
    expect(life.pool.shares.heldBy(OWNER.uid)).toBe(0n);
  });

  it('is what was left and what others still have', async () => {
    const buffers = await taken(life.pool, PAGE, 3);
    const allocation = life.ledger.record(termsOf(life.pool), buffers);
    life.ledger.delivered(allocation, buffers);
    send(buffers);
    life.ledger.withdraw(allocation, buffers.slice(0, 1));
    const [left] = inodes(buffers.slice(0, 1));
    await restart();
    expect(inodes(only().orphaned)).toEqual([left]);
    expect(only().held.size).toBe(2);
    expect(only().state).toBe('held');
    life.ledger.ownerLeft(OWNER);
    await restart();
    expect(only().state).toBe('orphaned');
    expect(life.ledger.liveBuffers).toBe(3);
    expect(life.logged).toEqual([{ event: 'buffers-taken-over', held: 3, idle: 0 }]);
  });

  it('is not what was freed before', async () => {
    const buffers = await taken(life.pool, PAGE, 2);
    const allocation = life.ledger.record(termsOf(life.pool), buffers);
    life.ledger.delivered(allocation, buffers);
    const [, kept] = buffers;
    if (kept === undefined) throw new Error('two buffers');
    send([kept]);
    life.ledger.release(allocation);
    expect(life.ledger.liveBuffers).toBe(1);
    const there = inodes([kept]);
    await restart();
    expect(inodes(only().orphaned)).toEqual(there);
    expect(only().held.size).toBe(0);
  });

  it('is no allocation of which nobody was told, unless somebody has its buffers', async () => {
    const undelivered = await taken(life.pool, PAGE, 1);
    life.ledger.record(termsOf(life.pool), undelivered);
    await restart();
    expect([...life.ledger.allocations]).toEqual([]);
    expect(life.ledger.liveBuffers).toBe(0);
    await life.settle();
    const sent = await taken(life.pool, PAGE, 1);
    life.ledger.record(termsOf(life.pool), sent);
    send(sent);
    await restart();
    expect(only().held.size).toBe(1);
    expect(only().undelivered.size).toBe(1);
  });

  it('is what lay ready, sizes apart, and lies ready again when it was cleared', async () => {
    for (const buffer of [...(await taken(life.pool, PAGE, 2)), ...(await taken(life.pool, 3n * PAGE, 1))])
      life.pool.free(buffer);
    await untilReady(5n * PAGE);
    const stock = [...manager.kept.values()].map(({ number }) => life.dmaBuf.inode(number));
    const handed = manager.handOut();
    await end();
    life = begin(handed);
    expect(life.logged).toEqual([{ event: 'buffers-taken-over', held: 0, idle: 3 }]);
    await untilReady(5n * PAGE);
    const again = [...(await taken(life.pool, PAGE, 2)), ...(await taken(life.pool, 3n * PAGE, 1))];
    expect(new Set(inodes(again))).toEqual(new Set(stock));
    expect(life.heap.made).toBe(0);
    for (const buffer of again) life.pool.free(buffer);
  });

  it('is told of as lost where its descriptors did not come', async () => {
    const buffers = await taken(life.pool, PAGE, 3);
    const allocation = life.ledger.record(termsOf(life.pool), buffers);
    life.ledger.delivered(allocation, buffers);
    send(buffers);
    const [first, ...rest] = manager.handOut();
    closeAll(rest.map(([, fd]) => fd));
    if (first === undefined) throw new Error('nothing was kept');
    await restart(new Map([first]));
    expect(only().held.size).toBe(1);
    expect(life.logged).toEqual([
      { event: 'buffers-taken-over', held: 1, idle: 0 },
      { event: 'buffers-lost', lost: 2, stored: true },
    ]);
    await restart(NOTHING);
    expect([...life.ledger.allocations]).toEqual([]);
    expect(life.logged).toEqual([{ event: 'buffers-lost', lost: 1, stored: true }]);
    closeAll([...manager.kept.values()]);
    manager.kept.clear();
  });

  it('is not what a descriptor of the same name but of other memory claims to be', async () => {
    const buffers = await taken(life.pool, PAGE, 2);
    const allocation = life.ledger.record(termsOf(life.pool), buffers);
    life.ledger.delivered(allocation, buffers);
    const [[one, its], [other, others]] = [...manager.handOut()] as [[string, OwnedFd], [string, OwnedFd]];
    await restart(
      new Map([
        [one, others],
        [other, its],
        ['zzz', its.dup()],
      ]),
    );
    expect([...life.ledger.allocations]).toEqual([]);
    expect([its.open, others.open]).toEqual([false, false]);
    // The manager gives up what it kept under these names.
    expect(manager.kept.size).toBe(0);
    expect(manager.heard).toEqual(expect.arrayContaining([`FDSTOREREMOVE=1 ${one}`, 'FDSTOREREMOVE=1 zzz']));
  });

  it('is nothing in another run of the kernel', async () => {
    const buffers = await taken(life.pool, PAGE, 1);
    life.ledger.delivered(life.ledger.record(termsOf(life.pool), buffers), buffers);
    const fds = manager.handOut();
    await end();
    boot = 'another';
    life = begin(fds);
    expect([...life.ledger.allocations]).toEqual([]);
    expect(life.logged).toEqual([]);
    expect(manager.kept.size).toBe(0);
  });

  it('goes to a successor by name, and the manager drops its copies then', async () => {
    const buffers = await taken(life.pool, PAGE, 2);
    life.ledger.delivered(life.ledger.record(termsOf(life.pool), buffers), buffers);
    send(buffers);
    const contents = life.persistence.contents();
    expect(contents.map(({ number }) => number).toSorted()).toEqual(
      buffers.map(({ fd }) => fd.number).toSorted(),
    );
    const handed = manager.handOut();
    expect(contents.map(({ name }) => name).toSorted()).toEqual([...handed.keys()].toSorted());
    await life.persistence.releaseToSuccessor();
    expect(manager.kept.size).toBe(0);
    await end();
    life = begin(handed, false);
    // Where the manager has no copy, one reference is all of ours.
    expect(only().held.size).toBe(2);
    closeAll(clients.splice(0));
    life.ledger.ownerLeft(OWNER);
    expect(life.ledger.liveBuffers).toBe(0);
  });

  it('stands in a file that is begun anew as it stood in the old one', async () => {
    const buffers = await taken(life.pool, PAGE, 3);
    const allocation = life.ledger.record(termsOf(life.pool), buffers);
    life.ledger.delivered(allocation, buffers.slice(0, 2));
    send(buffers);
    life.ledger.withdraw(allocation, buffers.slice(0, 1));
    // A start writes all that stands.
    await restart();
    const first = {
      held: inodes(only().held),
      leaving: inodes(only().orphaned),
      untold: inodes(only().undelivered),
    };
    expect(first.held).toHaveLength(2);
    expect(first.untold).toHaveLength(1);
    expect(first.leaving).toHaveLength(1);
    await restart();
    expect({
      held: inodes(only().held),
      leaving: inodes(only().orphaned),
      untold: inodes(only().undelivered),
    }).toEqual(first);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it('leaves nothing open but what somebody has', async () => {
    const buffers = await taken(life.pool, PAGE, 2);
    life.ledger.record(termsOf(life.pool), buffers);
    expect(buffersOpen()).toHaveLength(4);
    await restart();
    await life.settle();
    life.pool.close();
    await vi.waitFor(() => {
      expect(manager.kept.size).toBe(0);
    });
  });
});

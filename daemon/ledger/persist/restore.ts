import type { OwnedFd } from '../../../dbus/owned-fd.js';
import type { DmaBufCalls } from '../../kernel/kernel.js';
import type { ServiceManager } from '../../kernel/service-manager.js';
import type { Log } from '../../base/log.js';
import type { PoolBuffer } from '../../pools/pool.js';
import type { Pools } from '../../pools/pools.js';
import type { Later } from '../../base/time.js';
import type { FdStore } from '../../pools/fd-store.js';
import type { AllocationLog } from '../allocation-log.js';
import type { Ledger } from '../ledger.js';
import { payerOf } from '../ledger-types.js';
import { Journal } from './journal.js';
import { JournalAllocationLog } from './journal-allocation-log.js';
import type { Replay, ReplayedAllocation } from './replay.js';
import { readJournal } from './read-journal.js';
import type { BufferRecord, StateRecord } from './journal-record.js';
import type { StateFiles } from './state-files.js';
import { SystemdFdStore, type NamedFd } from './systemd-fd-store.js';

/** Descriptors that came to this process, by the name that their buffers have in the journal; the taker closes them. */
export interface Inheritance {
  readonly fds: ReadonlyMap<string, OwnedFd>;
  /** Whether the service manager handed them out, and has a copy of each. */
  readonly stored: boolean;
}

export interface PersistenceOptions {
  readonly files: StateFiles;
  /** Id of this run of the kernel. */
  readonly boot: string;
  readonly inheritance: Inheritance;
  readonly manager: ServiceManager | undefined;
  /** Descriptors that the manager keeps at most. */
  readonly capacity: number;
  readonly dmaBuf: Pick<DmaBufCalls, 'inode' | 'references'>;
  readonly later: Later;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/** Keeps allocations across a restart: their descriptors with the service manager, and what they are in a journal. */
export class Persistence {
  readonly fdStore: FdStore;
  readonly allocationLog: AllocationLog;
  readonly #options: PersistenceOptions;
  readonly #fdStore: SystemdFdStore;
  readonly #journal: Journal;
  readonly #allocationLog: JournalAllocationLog;
  #ledger: Pick<Ledger, 'allocations'> | undefined;

  constructor(options: PersistenceOptions) {
    this.#options = options;
    const { dmaBuf } = options;
    this.#journal = new Journal({ ...options, currentRecords: () => this.#currentRecords() });
    this.#fdStore = new SystemdFdStore({
      ...options,
      journal: this.#journal,
      inode: (fd) => dmaBuf.inode(fd),
      references: (fd) => dmaBuf.references(fd),
    });
    this.#allocationLog = new JournalAllocationLog(this.#journal, (fd) => this.#fdStore.nameOf(fd));
    this.fdStore = this.#fdStore;
    this.allocationLog = this.#allocationLog;
  }

  /** Takes over what an earlier start left, and begins to take down what happens. Once, when every heap has its pool. */
  restore(pools: Pick<Pools, 'poolForOrigin'>, ledger: Pick<Ledger, 'restore' | 'allocations'>): void {
    const { files, boot, log, inheritance } = this.#options;
    const replay = readJournal(files, boot, log);
    const reclaimed = this.#reclaim(replay);
    const taken = new Set<string>();
    const buffersOf = (names: Iterable<string>, payer: number): readonly PoolBuffer[] =>
      [...names].flatMap((name) => {
        const found = reclaimed.get(name);
        if (found === undefined) return [];
        taken.add(name);
        const { record, fd } = found;
        const { origin, size, bytes } = record;
        return [pools.poolForOrigin(origin).adopt({ fd, size, bytes }, payer)];
      });
    let lost = 0;
    let held = 0;
    for (const allocation of replay.allocations) {
      const outcome = restoreAllocation(allocation, buffersOf, pools, ledger);
      lost += outcome.lost;
      held += outcome.held;
    }
    const idle = [...reclaimed].filter(([name]) => !taken.has(name)).map(([, found]) => found);
    restock(idle, pools);
    this.#ledger = ledger;
    this.#journal.begin();
    if (held + idle.length > 0)
      log.info(
        { event: 'buffers-taken-over', held, idle: idle.length },
        'buffers of the last start were taken over',
      );
    if (lost > 0)
      log.warn(
        { event: 'buffers-lost', lost, stored: inheritance.stored },
        'buffers that clients had from the last start were not handed over: they are not counted any more',
      );
  }

  /** Every buffer by its name, for a successor; borrowed. */
  contents(): readonly NamedFd[] {
    return this.#fdStore.contents();
  }

  /** A successor has every buffer: the manager's copies are of no use any more. */
  async releaseToSuccessor(): Promise<void> {
    await this.#fdStore.discardAll();
  }

  /** Records nothing any more: from now on it is another daemon's, or over. */
  close(): void {
    this.#journal.close();
  }

  /** The buffers that the past speaks of and that came. What else came is of no use, and closed. */
  #reclaim(replay: Replay): Map<string, Reclaimed> {
    const { inheritance, dmaBuf } = this.#options;
    const reclaimed = new Map<string, Reclaimed>();
    for (const [name, fd] of inheritance.fds) {
      const record = replay.buffers.get(name);
      if (record?.inode === dmaBuf.inode(fd.number)) {
        this.#fdStore.adopt(fd.number, record, inheritance.stored ? 1 : 0);
        reclaimed.set(name, { record, fd });
      } else {
        fd.close();
        if (inheritance.stored) this.#fdStore.discard(name);
      }
    }
    return reclaimed;
  }

  *#currentRecords(): Iterable<readonly StateRecord[]> {
    yield* this.#fdStore.currentRecords();
    for (const allocation of this.#ledger?.allocations ?? [])
      yield this.#allocationLog.currentRecords(allocation);
  }
}

interface Reclaimed {
  readonly record: BufferRecord;
  readonly fd: OwnedFd;
}

function restoreAllocation(
  { record, held, delivered, orphaned }: ReplayedAllocation,
  buffersOf: (names: Iterable<string>, payer: number) => readonly PoolBuffer[],
  pools: Pick<Pools, 'poolForOrigin'>,
  ledger: Pick<Ledger, 'restore'>,
): { readonly held: number; readonly lost: number } {
  const payer = payerOf(record.owner);
  const undelivered = buffersOf(
    [...held].filter((name) => !delivered.has(name)),
    payer,
  );
  const hold = [
    ...undelivered,
    ...buffersOf(
      [...held].filter((name) => delivered.has(name)),
      payer,
    ),
  ];
  const leave = buffersOf(orphaned, payer);
  const found = hold.length + leave.length;
  const lost = held.size + orphaned.size - found;
  if (found === 0) return { held: 0, lost };
  const { id, created, owner, label, layout, origin } = record;
  const terms = { owner, label, layout, pool: pools.poolForOrigin(origin) };
  ledger.restore({ id, created, terms, held: hold, undelivered, orphaned: leave });
  return { held: found, lost };
}

/** Returns what was given to no client, or given back by all, to its pool's stock, cleared on the way. */
function restock(idle: readonly Reclaimed[], pools: Pick<Pools, 'poolForOrigin'>): void {
  const groups = new Map<string, Reclaimed[]>();
  for (const reclaimed of idle) {
    const { origin, size } = reclaimed.record;
    const key = `${origin.class} ${origin.heap} ${size}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [reclaimed]);
    else group.push(reclaimed);
  }
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const buffers = group.map(({ record: { size, bytes }, fd }) => ({ fd, size, bytes }));
    pools.poolForOrigin(first.record.origin).restock(buffers);
  }
}

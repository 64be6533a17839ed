import type { OwnedFd } from '../../../dbus/owned-fd.js';
import type { DmaBufCalls } from '../../kernel/kernel.js';
import type { ServiceManager } from '../../kernel/service-manager.js';
import type { Log } from '../../messages/log.js';
import type { PoolBuffer } from '../../pools/pool.js';
import type { Pools } from '../../pools/pools.js';
import type { Later } from '../../pools/time.js';
import type { Vault } from '../../pools/vault.js';
import type { Chronicle } from '../chronicle.js';
import type { Ledger } from '../ledger.js';
import { Journal } from './journal.js';
import { JournalChronicle } from './journal-chronicle.js';
import type { Past } from './past.js';
import { type PastAllocation } from './past.js';
import { readPast } from './read-past.js';
import type { BufferRecord, StateRecord } from './record.js';
import type { StateFiles } from './state-files.js';
import { Strongbox, type NamedFd } from './strongbox.js';

/** Descriptors that came to this process, by the name that their buffers have in the journal; the continuity's. */
export interface Inheritance {
  readonly fds: ReadonlyMap<string, OwnedFd>;
  /** Whether the service manager handed them out, and has a copy of each. */
  readonly stored: boolean;
}

export interface ContinuityOptions {
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

/** Has what the daemon holds outlive it: descriptors with the service manager, and what they are in a journal. */
export class Continuity {
  readonly vault: Vault;
  readonly chronicle: Chronicle;
  readonly #options: ContinuityOptions;
  readonly #strongbox: Strongbox;
  readonly #journal: Journal;
  readonly #chronicle: JournalChronicle;
  #ledger: Pick<Ledger, 'allocations'> | undefined;

  constructor(options: ContinuityOptions) {
    this.#options = options;
    const { dmaBuf } = options;
    this.#journal = new Journal({ ...options, standing: () => this.#standing() });
    this.#strongbox = new Strongbox({
      ...options,
      journal: this.#journal,
      inode: (fd) => dmaBuf.inode(fd),
      references: (fd) => dmaBuf.references(fd),
    });
    this.#chronicle = new JournalChronicle(this.#journal, (fd) => this.#strongbox.nameOf(fd));
    this.vault = this.#strongbox;
    this.chronicle = this.#chronicle;
  }

  /** Takes over what an earlier start left, and begins to take down what happens. Once, when every heap has its pool. */
  restore(pools: Pick<Pools, 'home'>, ledger: Pick<Ledger, 'restore' | 'allocations'>): void {
    const { files, boot, log, inheritance } = this.#options;
    const past = readPast(files, boot, log);
    const reclaimed = this.#reclaim(past);
    const taken = new Set<string>();
    const buffersOf = (names: Iterable<string>): readonly PoolBuffer[] =>
      [...names].flatMap((name) => {
        const found = reclaimed.get(name);
        if (found === undefined) return [];
        taken.add(name);
        const { record, fd } = found;
        return [pools.home(record.origin).adopt({ fd, size: record.size, bytes: record.bytes })];
      });
    let lost = 0;
    let held = 0;
    for (const allocation of past.allocations) {
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
    return this.#strongbox.contents();
  }

  /** A successor has every buffer: the manager's copies are of no use any more. */
  async handedOver(): Promise<void> {
    await this.#strongbox.discardAll();
  }

  /** Takes nothing down any more: from now on it is somebody else's, or over. */
  close(): void {
    this.#journal.close();
  }

  /** The buffers that the past speaks of and that came. What else came is of no use, and closed. */
  #reclaim(past: Past): Map<string, Reclaimed> {
    const { inheritance, dmaBuf } = this.#options;
    const reclaimed = new Map<string, Reclaimed>();
    for (const [name, fd] of inheritance.fds) {
      const record = past.buffers.get(name);
      if (record?.inode === dmaBuf.inode(fd.number)) {
        this.#strongbox.adopt(fd.number, record, inheritance.stored ? 1 : 0);
        reclaimed.set(name, { record, fd });
      } else {
        fd.close();
        if (inheritance.stored) this.#strongbox.discard(name);
      }
    }
    return reclaimed;
  }

  *#standing(): Iterable<readonly StateRecord[]> {
    yield* this.#strongbox.standing();
    for (const allocation of this.#ledger?.allocations ?? []) yield this.#chronicle.standing(allocation);
  }
}

interface Reclaimed {
  readonly record: BufferRecord;
  readonly fd: OwnedFd;
}

function restoreAllocation(
  { record, held, told, leaving }: PastAllocation,
  buffersOf: (names: Iterable<string>) => readonly PoolBuffer[],
  pools: Pick<Pools, 'home'>,
  ledger: Pick<Ledger, 'restore'>,
): { readonly held: number; readonly lost: number } {
  const untold = buffersOf([...held].filter((name) => !told.has(name)));
  const hold = [...untold, ...buffersOf([...held].filter((name) => told.has(name)))];
  const leave = buffersOf(leaving);
  const found = hold.length + leave.length;
  const lost = held.size + leaving.size - found;
  if (found === 0) return { held: 0, lost };
  const { id, created, owner, label, layout, origin } = record;
  const terms = { owner, label, layout, pool: pools.home(origin) };
  ledger.restore({ id, created, terms, held: hold, untold, leaving: leave });
  return { held: found, lost };
}

/** Puts what nobody was given, or everybody gave back, to where it lies ready; it is cleared on the way. */
function restock(idle: readonly Reclaimed[], pools: Pick<Pools, 'home'>): void {
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
    pools.home(first.record.origin).restock(buffers);
  }
}

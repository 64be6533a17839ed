import { BrokerError, LimitsExceeded, type ErrorCode } from '../../../dbus/errors.js';
import type { Clock, Later } from '../../base/time.js';
import type { Allocation } from '../../ledger/allocation.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Pool } from '../../pools/pool.js';
import type { Pools } from '../../pools/pools.js';
import type { Allocator, Allotted } from '../allocator.js';
import { isOpenTo } from '../choose.js';
import { isWantOfMemory } from '../linear-instead.js';
import { callerOf } from '../pool-access.js';
import type { Owner, Sessions } from '../broker-types.js';
import type { Searches } from '../searches.js';
import { accessListsOf, poolsOf, type Snapshot } from '../snapshot.js';
import { linearSet, SetSearch, type SetDecision, type SetOutcome } from './decide-set.js';
import { endOfDecision, failureFor } from './failures.js';
import { CREATOR_LEFT, endOf } from './ends.js';
import { fitsLate } from './late.js';
import type { End, Member, Proposal } from './party-types.js';
import { generationOf, type Generation, type Running } from './running.js';

export interface NegotiatorOptions {
  readonly allocator: Pick<Allocator, 'allot'>;
  readonly ledger: Pick<Ledger, 'release'>;
  readonly pools: Pools;
  readonly sessions: Sessions;
  readonly searches: Pick<Searches, 'of'>;
  readonly snapshot: () => Snapshot;
  readonly clock: Clock;
  readonly later: Later;
  /** Told of the buffers of a new generation. */
  readonly made: (running: Running, allocation: Allocation) => void;
  /** Told when parties may have another state. */
  readonly changed: (running: Running) => void;
}

/** Why memory that was decided on cannot be had: with fewer parties it may. */
const OF_MEMORY: ReadonlySet<ErrorCode> = new Set(['PoolExhausted', 'QuotaExceeded', 'AccessDenied']);

/** Buffers with what was decided of them. */
interface Made {
  readonly allotted: Allotted;
  readonly decision: SetDecision;
}

/** Does what a collection asks for next: waits, decides, and has buffers made. */
export class Negotiator {
  readonly #options: NegotiatorOptions;

  constructor(options: NegotiatorOptions) {
    this.#options = options;
  }

  /** After every event. */
  advance(running: Running): void {
    const { clock, later, changed } = this.#options;
    running.timer?.[Symbol.dispose]();
    running.timer = undefined;
    const next = running.collection.next(clock());
    if (next.do === 'wait')
      running.timer = later(Math.max(0, next.until - clock()), () => {
        this.advance(running);
      });
    else if (next.do === 'fail') {
      this.#refuse(running, next.end);
      this.advance(running);
    } else if (next.do === 'decide') void this.#decide(running, next.members);
    changed(running);
  }

  /** Never rejects. */
  async #decide(running: Running, members: readonly Member[]): Promise<void> {
    try {
      const made = await this.#make(running, members);
      if (made !== undefined && running.collection.isDeciding) this.#adopt(running, made, members);
      else if (made !== undefined) this.#options.ledger.release(made.allotted.allocation);
    } catch (error) {
      this.#refuse(running, endOfError(error));
    }
    this.advance(running);
  }

  /** Buffers for the first combination that fits and has room; undefined after it refused. */
  async #make(running: Running, members: readonly Member[]): Promise<Made | undefined> {
    const { searches, snapshot: current } = this.#options;
    const creator = running.parties.get(0)?.owner;
    if (creator === undefined) return undefined;
    const snapshot = current();
    const { run, allowance } = searches.of(creator);
    const search = new SetSearch(running.spec, members, snapshot, allowance);
    let full: BrokerError | undefined;
    let next: SetDecision | undefined;
    for (;;) {
      const outcome: SetOutcome = next ?? (await run(search.next()));
      if (!running.collection.isDeciding) return undefined;
      if (outcome.is !== 'fit') {
        if (full !== undefined) throw full;
        running.failure = outcome;
        this.#refuse(running, endOfDecision(outcome));
        return undefined;
      }
      try {
        return { allotted: await this.#allot(running, creator, outcome, snapshot), decision: outcome };
      } catch (error) {
        const linear = isWantOfMemory(error) ? linearSet(outcome) : undefined;
        if (linear !== undefined) {
          next = linear;
          continue;
        }
        if (!(error instanceof BrokerError) || !OF_MEMORY.has(error.code)) throw error;
        // An optional party does not stand in the way of the others.
        next = await run(search.without());
        if (next !== undefined) continue;
        // Other devices may reach memory that has room; a quota is the same for all of them.
        if (error.code !== 'PoolExhausted') throw error;
        full ??= error;
      }
    }
  }

  async #allot(
    running: Running,
    creator: Owner,
    { decision, count, selection }: SetDecision,
    snapshot: Snapshot,
  ): Promise<Allotted> {
    const receivers = [...selection.keys()].flatMap((number) => running.parties.get(number)?.owner ?? []);
    const serving = poolsOf(decision.memories, this.#options.pools);
    const pools = await this.#openToAll(serving, receivers, snapshot);
    // From here on the allocator sees that the owner leaves.
    if (!running.collection.isDeciding) throw new BrokerError(CREATOR_LEFT.code, CREATOR_LEFT.text);
    const { layout } = decision;
    return this.#options.allocator.allot(
      creator,
      { snapshot, layout, count, label: running.spec.label ?? '' },
      pools,
    );
  }

  /** The pools that policy opens to every party that is given descriptors. @throws {BrokerError} AccessDenied */
  async #openToAll(
    pools: readonly Pool[],
    receivers: readonly Owner[],
    snapshot: Snapshot,
  ): Promise<readonly Pool[]> {
    const lists = accessListsOf(pools, snapshot);
    const callers = await Promise.all(
      receivers.map(async (owner) => callerOf(owner, lists, this.#options.sessions)),
    );
    const open = pools.filter((pool) => callers.every((caller) => isOpenTo(pool, caller, snapshot.handOut)));
    if (open.length === 0 && pools.length > 0)
      throw new BrokerError('AccessDenied', 'Policy opens no suitable pool to all of the parties.');
    return open;
  }

  #adopt(running: Running, { allotted, decision }: Made, members: readonly Member[]): void {
    const before = running.generation?.allocation;
    this.#options.made(running, allotted.allocation);
    running.generation = generationOf(allotted, running.spec, decision);
    running.failure = undefined;
    running.collection.succeed(decision.selection, members);
    const decided = new Set(members.map(({ number }) => number));
    for (const { number } of running.collection.members())
      if (!decided.has(number)) this.settle(running, number);
    if (before === undefined) return;
    running.earlier.add(before);
    // A party that has its descriptors keeps them; they count until the last is closed.
    if (before.state === 'held') this.#options.ledger.release(before);
  }

  /** Finds out whether the present buffers suit a party that said its needs after they were decided on. Never throws. */
  settle(running: Running, number: number): void {
    const { generation, collection } = running;
    const seat = collection.seat(number);
    if (generation === undefined || seat.proposal === undefined) return;
    const { proposal } = seat;
    seat.isSettling = true;
    void this.#suits(running, generation, number, proposal)
      .catch((error: unknown) => {
        seat.aside = endOfError(error);
        return undefined;
      })
      .then((alternative) => {
        seat.isSettling = false;
        // A later generation has decided about it itself.
        if (running.generation === generation && seat.isAlive && alternative !== undefined)
          seat.granted = { alternative, proposal };
        this.advance(running);
      });
  }

  async #suits(
    running: Running,
    generation: Generation,
    number: number,
    proposal: Proposal,
  ): Promise<number | undefined> {
    const owner = running.parties.get(number)?.owner;
    if (owner === undefined) return undefined;
    const snapshot = this.#options.snapshot();
    await this.#openToAll([generation.allocation.terms.pool], [owner], snapshot);
    return this.#options.searches.of(owner).run(fitsLate(number, proposal, running, generation, snapshot));
  }

  /** There are no (new) buffers: those that wait learn it once. */
  #refuse(running: Running, end: End): void {
    const { collection, parties } = running;
    const isFirst = collection.isPending;
    collection.refuse(end);
    if (isFirst) return;
    const { classOf } = this.#options.snapshot();
    for (const party of parties.values())
      for (const call of [...party.waiting]) {
        party.waiting.delete(call);
        call.reject(failureFor(party, end, classOf));
      }
  }
}

/** What went wrong, as a party's end; a bug is Internal. */
function endOfError(error: unknown): End {
  if (error instanceof BrokerError) return { code: error.code, text: error.message, isPrivate: true };
  if (error instanceof LimitsExceeded) return { code: 'Unavailable', text: error.message };
  return { ...endOf('Internal'), cause: error };
}

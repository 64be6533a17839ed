import { BrokerError, LimitsExceeded } from '../../../dbus/errors.js';
import { LIMITS } from '../../../dbus/names.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { AllocationView } from '../../ledger/ledger-types.js';
import { admitEntries } from '../admit.js';
import { copies } from '../buffer-source.js';
import { fdsPerBuffer } from '../fitting-count.js';
import type { Owner } from '../broker-types.js';
import { Collection } from './collection.js';
import { Negotiator, type NegotiatorOptions } from './negotiator.js';
import { fitsLate } from './late.js';
import { explainParty } from './party-explain.js';
import {
  PARTY_LIMITS,
  type BufferSpec,
  type Invitation,
  type Negotiation,
  type PartyBuffers,
  type PartyEvents,
  type PartyExplanation,
  type PartyView,
  type Proposal,
} from './party-types.js';
import { failureFor } from './failures.js';
import { PartyRegistry } from './registry.js';
import type { PartyRecord, Running } from './running.js';
import { Tokens } from './tokens.js';

export interface PartiesOptions extends Omit<NegotiatorOptions, 'made' | 'changed'> {
  readonly ledger: Ledger;
  readonly randomHex: (bytes: number) => string;
  readonly events: PartyEvents;
  /** Counts a request of the owner. @throws {BrokerError} QuotaExceeded when it asks too fast */
  readonly admit: (owner: Owner) => void;
}

/** Where a token leads. */
interface Place {
  readonly running: Running;
  readonly number: number;
}

/** Several connections agree on one set of buffers: who takes part, and what each is given. */
export class Parties implements Negotiation {
  readonly #options: PartiesOptions;
  readonly #negotiator: Negotiator;
  readonly #tokens: Tokens<Place>;
  readonly #registry: PartyRegistry;
  /** By the id of the allocation: whose buffers it holds, the present ones or earlier ones. */
  readonly #byAllocation = new Map<string, Running>();

  constructor(options: PartiesOptions) {
    this.#options = options;
    this.#tokens = new Tokens(options.randomHex, options.clock);
    this.#registry = new PartyRegistry(options.randomHex, options.events);
    this.#negotiator = new Negotiator({
      ...options,
      made: (running, allocation) => {
        this.#byAllocation.set(allocation.id, running);
      },
      changed: (running) => {
        this.#changed(running);
      },
    });
  }

  /** Begins a collection, of which the owner is the first party. @throws {BrokerError} QuotaExceeded */
  negotiate(owner: Owner, spec: BufferSpec, deadlineMs: number): string {
    this.#options.admit(owner);
    this.#registry.checkRoom(owner);
    const running: Running = {
      collection: new Collection({ uid: owner.uid }, deadlineMs, this.#options.clock()),
      parties: new Map(),
      spec,
      generation: undefined,
      earlier: new Set(),
      failure: undefined,
      timer: undefined,
    };
    const { id } = this.#registry.add(running, 0, owner);
    this.#negotiator.advance(running);
    return id;
  }

  /** @throws {BrokerError | LimitsExceeded} UnknownToken, QuotaExceeded */
  join(owner: Owner, token: string): string {
    this.#options.admit(owner);
    const isFor = ({ running: { collection }, number }: Place): boolean => {
      const seat = collection.seat(number);
      return !collection.isOver && seat.state === 'unused' && seat.uid === owner.uid;
    };
    const place = this.#tokens.find(owner, token, isFor);
    if (place === undefined)
      throw new BrokerError('UnknownToken', 'There is no such token, or it is not for the caller.');
    const { running, number } = place;
    this.#registry.checkRoom(owner);
    running.collection.join(number, this.#options.clock());
    const { id } = this.#registry.add(running, number, owner);
    this.#negotiator.advance(running);
    return id;
  }

  /** @throws {BrokerError} as the interface says of Invite */
  invite(
    owner: Owner,
    id: string,
    count: number,
    invitation: Invitation,
    isOneOf: boolean,
  ): readonly string[] {
    const { running, number } = this.#own(owner, id);
    const numbers = running.collection.invite(number, count, invitation, isOneOf);
    const tokens = numbers.map((each) => this.#tokens.make({ running, number: each }));
    this.#negotiator.advance(running);
    return tokens;
  }

  /** @throws {BrokerError} UnknownToken */
  withdraw(owner: Owner, id: string, token: string): void {
    const { running, number } = this.#own(owner, id);
    const place = this.#tokens.of(token);
    if (place?.running !== running) throw new BrokerError('UnknownToken', 'This party made no such token.');
    running.collection.withdraw(number, place.number);
    this.#negotiator.advance(running);
  }

  /** @throws {BrokerError | LimitsExceeded} as the interface says of Constrain; then nothing is changed */
  constrain(owner: Owner, id: string, proposal: Proposal): void {
    const { running, number } = this.#own(owner, id);
    const { collection, generation } = running;
    if (!collection.mayConstrain(number))
      throw new LimitsExceeded(
        `A party says its needs at most ${PARTY_LIMITS.constrains} times for a generation.`,
      );
    const snapshot = this.#options.snapshot();
    for (const entries of proposal.alternatives) admitEntries(entries, snapshot.index);
    const isLate = collection.seat(number).isLateNow;
    collection.constrain(number, proposal);
    if (isLate && generation !== undefined)
      collection.settleLate(number, fitsLate(number, proposal, running, generation, snapshot));
    this.#negotiator.advance(running);
  }

  /**
   * The buffers, when there are some.
   * @param first index of the first that is wanted; up to 16 come
   * @throws {BrokerError | LimitsExceeded} why there are none
   */
  async buffers(owner: Owner, id: string, first: number): Promise<PartyBuffers> {
    const party = this.#own(owner, id);
    if (party.waiting.size >= PARTY_LIMITS.waitingCalls)
      throw new LimitsExceeded(`${PARTY_LIMITS.waitingCalls} calls of Buffers wait already.`);
    if (party.running.collection.state(party.number) !== 'ready') await this.#arrival(party, first);
    return this.#give(party, first);
  }

  /** @throws {BrokerError} AccessDenied, InvalidRequest */
  renew(owner: Owner, id: string, spec: BufferSpec, deadlineMs: number | undefined): void {
    const { running, number } = this.#own(owner, id);
    if (number !== 0)
      throw new BrokerError('AccessDenied', 'Only the party that began may renew the buffers.');
    running.collection.renew(deadlineMs, this.#options.clock());
    running.spec = spec;
    running.failure = undefined;
    this.#negotiator.advance(running);
  }

  specOf(owner: Owner, id: string): BufferSpec {
    return this.#own(owner, id).running.spec;
  }

  explain(owner: Owner, id: string): Promise<PartyExplanation> {
    const party = this.#own(owner, id);
    return explainParty(party, this.#options);
  }

  leave(owner: Owner, id: string): void {
    const party = this.#own(owner, id);
    const { running, number } = party;
    running.collection.leave(number);
    this.#remove(party, new BrokerError('Abandoned', 'This party has left.'));
    this.#negotiator.advance(running);
  }

  /** A connection is gone. */
  ownerLeft(bus: string, name: string): void {
    for (const party of this.#registry.ofConnection({ bus, name })) {
      party.running.collection.vanish(party.number);
      this.#remove(party, new BrokerError('Unavailable', 'The caller has left the bus.'));
      this.#negotiator.advance(party.running);
    }
  }

  /** An allocation lost buffers, was released, or is over. */
  allocationChanged({ id }: Pick<AllocationView, 'id'>): void {
    const running = this.#byAllocation.get(id);
    if (running === undefined) return;
    for (const allocation of running.earlier)
      if (allocation.empty) {
        running.earlier.delete(allocation);
        this.#byAllocation.delete(allocation.id);
      }
    this.#changed(running);
  }

  views(): readonly PartyView[] {
    return this.#registry.views();
  }

  close(): void {
    for (const { running } of this.#registry) running.timer?.[Symbol.dispose]();
  }

  #arrival(party: PartyRecord, first: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const call = { first, resolve, reject };
      party.waiting.add(call);
      this.#answer(party);
    });
  }

  #give({ running, number }: PartyRecord, first: number): PartyBuffers {
    const { generation, collection } = running;
    if (generation === undefined || collection.state(number) !== 'ready')
      throw new BrokerError('Unavailable', 'The buffers were replaced meanwhile; ask again.');
    const { allocation, layout, buffers } = generation;
    if (allocation.state !== 'held')
      throw new BrokerError('Abandoned', 'The party that began has released the buffers.');
    const fdsEach = fdsPerBuffer(layout);
    const most = Math.floor(LIMITS.buffersPerCall / fdsEach);
    const wanted = buffers.slice(first * fdsEach, (first + most) * fdsEach);
    const { ledger } = this.#options;
    return {
      layout,
      generation: collection.generation,
      fds: copies(wanted),
      delivered: () => {
        const news = wanted.filter((buffer) => allocation.undelivered.has(buffer));
        if (news.length > 0) ledger.delivered(allocation, news);
      },
    };
  }

  /** Answers the waiting calls of a party, where there is an answer. */
  #answer(party: PartyRecord): void {
    const { running, number, waiting } = party;
    const { collection } = running;
    const end = collection.endOf(number);
    const isReady = collection.state(number) === 'ready';
    if (end === undefined && !isReady) return;
    for (const call of [...waiting]) {
      waiting.delete(call);
      if (end === undefined) call.resolve(call.first);
      else call.reject(failureFor(party, end, this.#options.snapshot().classOf));
    }
  }

  /** Answers whom it can, and tells what changed. */
  #changed(running: Running): void {
    for (const party of running.parties.values()) {
      if (!this.#registry.has(party)) continue;
      this.#answer(party);
      this.#registry.tell(party);
    }
    if (running.collection.isOver) this.#tokens.removeWhere((place) => place.running === running);
  }

  #remove(party: PartyRecord, error: BrokerError): void {
    const { waiting, running } = party;
    for (const call of [...waiting]) call.reject(error);
    waiting.clear();
    if (!this.#registry.remove(party)) return;
    running.timer?.[Symbol.dispose]();
    this.#tokens.removeWhere((place) => place.running === running);
    for (const [allocation, its] of this.#byAllocation)
      if (its === running) this.#byAllocation.delete(allocation);
  }

  #own(owner: Owner, id: string): PartyRecord {
    this.#options.admit(owner);
    return this.#registry.own(owner, id);
  }
}

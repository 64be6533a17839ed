import { BrokerError, ERRORS, LimitsExceeded } from '../../../dbus/errors.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { AllocationView } from '../../ledger/ledger-types.js';
import { admitEntries } from '../admit.js';
import type { Owner } from '../broker-types.js';
import { Collection } from './collection.js';
import { Negotiator, type NegotiatorOptions } from './negotiator.js';
import { giveBuffers } from './give-buffers.js';
import { endOf, LEFT } from './ends.js';
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
      tokens: new Map(),
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
    if (place === undefined) throw new BrokerError('UnknownToken', ERRORS.UnknownToken);
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
    const tokens = numbers.map((each) => {
      const token = this.#tokens.make({ running, number: each });
      running.tokens.set(each, token);
      return token;
    });
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
    const { collection } = running;
    if (!collection.mayConstrain(number))
      throw new LimitsExceeded(
        `A party says its needs at most ${PARTY_LIMITS.constrains} times for a generation.`,
      );
    const snapshot = this.#options.snapshot();
    for (const entries of proposal.alternatives) admitEntries(entries, snapshot.index);
    const isLate = collection.seat(number).isLateNow;
    // What failed before was said of other needs.
    running.failure = undefined;
    collection.constrain(number, proposal);
    if (isLate) this.#negotiator.settle(running, number);
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
    if (party.running.collection.state(party.number) !== 'ready') await this.#arrival(party);
    return giveBuffers(party, first, this.#options.ledger);
  }

  /** @throws {BrokerError} AccessDenied, InvalidRequest */
  renew(owner: Owner, id: string, spec: BufferSpec, deadlineMs: number | undefined): void {
    const { running, number } = this.#own(owner, id);
    if (number !== 0)
      throw new BrokerError('AccessDenied', 'Only the party that began may renew the buffers.');
    running.collection.renew(deadlineMs, this.#options.clock());
    const { maxBuffers, maxBytes } = running.spec;
    running.spec = {
      ...(maxBuffers !== undefined && { maxBuffers }),
      ...(maxBytes !== undefined && { maxBytes }),
      ...spec,
    };
    running.failure = undefined;
    this.#negotiator.advance(running);
  }

  specOf(owner: Owner, id: string): BufferSpec {
    return this.#registry.own(owner, id).running.spec;
  }

  explain(owner: Owner, id: string): Promise<PartyExplanation> {
    const party = this.#own(owner, id);
    return explainParty(party, this.#options);
  }

  leave(owner: Owner, id: string): void {
    const party = this.#own(owner, id);
    const { running, number } = party;
    running.collection.leave(number);
    this.#remove(party, new BrokerError(LEFT.code, LEFT.text));
  }

  /** A connection is gone. */
  ownerLeft(bus: string, name: string): void {
    for (const party of this.#registry.ofConnection({ bus, name })) {
      party.running.collection.vanish(party.number);
      // The first party may have left before its connection.
      if (this.#registry.has(party))
        this.#remove(party, new BrokerError('Unavailable', 'The caller has left the bus.'));
      else this.#negotiator.advance(party.running);
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

  shutDown(): void {
    for (const { running } of this.#registry) {
      running.collection.fail(endOf('Unavailable'));
      this.#negotiator.advance(running);
    }
  }

  #arrival(party: PartyRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      party.waiting.add({ resolve, reject });
      this.#answer(party);
    });
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
      if (end === undefined) call.resolve();
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
    this.#tidy(running);
  }

  /** Forgets the tokens and the seats of which nothing can come any more. */
  #tidy({ collection, parties, tokens }: Running): void {
    const isAlive = new Set(collection.seats.filter((seat) => seat.isAlive).map(({ number }) => number));
    for (const [number, token] of tokens)
      if (!isAlive.has(number)) {
        tokens.delete(number);
        this.#tokens.remove(token);
      }
    collection.prune((number) => parties.has(number));
  }

  #remove(party: PartyRecord, error: BrokerError): void {
    const { waiting, running } = party;
    for (const call of [...waiting]) call.reject(error);
    waiting.clear();
    if (this.#registry.remove(party)) this.#end(running);
    else this.#negotiator.advance(running);
  }

  /** No party is left: no other can ask for the buffers, so that they go once they are closed. */
  #end(running: Running): void {
    const { collection, generation, earlier, tokens, parties } = running;
    running.timer?.[Symbol.dispose]();
    collection.fail(LEFT);
    const first = parties.get(0);
    if (first !== undefined) this.#registry.forget(first);
    for (const token of tokens.values()) this.#tokens.remove(token);
    const present = generation?.allocation;
    for (const { id } of [...earlier, ...(present === undefined ? [] : [present])])
      this.#byAllocation.delete(id);
    if (present?.state === 'held') this.#options.ledger.release(present);
  }

  #own(owner: Owner, id: string): PartyRecord {
    this.#options.admit(owner);
    return this.#registry.own(owner, id);
  }
}

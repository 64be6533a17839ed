import { BrokerError } from '../../../dbus/errors.js';
import { payerOf } from '../../ledger/ledger-types.js';
import type { Allocation } from '../../ledger/allocation.js';
import type { Owner } from '../broker-types.js';
import { PARTY_LIMITS, type PartyEvents, type PartyView } from './party-types.js';
import type { PartyRecord, Running } from './running.js';

const ID_BYTES = 16;

/** All parties that exist, by id, connection and user; and what listeners were told of each. */
export class PartyRegistry {
  readonly #randomHex: (bytes: number) => string;
  readonly #events: PartyEvents;
  readonly #parties = new Map<string, PartyRecord>();
  readonly #byOwner = new Map<string, Set<PartyRecord>>();
  readonly #byUser = new Map<number, Set<PartyRecord>>();

  constructor(randomHex: (bytes: number) => string, events: PartyEvents) {
    this.#randomHex = randomHex;
    this.#events = events;
  }

  [Symbol.iterator](): Iterator<PartyRecord> {
    return this.#parties.values();
  }

  views(): readonly PartyView[] {
    return [...this.#parties.values()].map(viewOf);
  }

  add(running: Running, number: number, owner: Owner): PartyRecord {
    const id = this.#randomHex(ID_BYTES);
    const party: PartyRecord = { id, number, owner, running, waiting: new Set(), told: '' };
    running.parties.set(number, party);
    this.#parties.set(id, party);
    addTo(this.#byOwner, keyOf(owner), party);
    addTo(this.#byUser, payerOf(owner), party);
    const view = viewOf(party);
    party.told = summaryOf(view);
    this.#events.partyAdded(view);
    return party;
  }

  /** @returns whether it was the last of its collection */
  remove(party: PartyRecord): boolean {
    const { owner, running } = party;
    this.#parties.delete(party.id);
    // The first one owns the buffers for as long as its connection is there.
    if (party.number !== 0) this.forget(party);
    removeFrom(this.#byUser, payerOf(owner), party);
    this.#events.partyRemoved(viewOf(party));
    // The first one pays to the end.
    if (party.number !== 0) running.parties.delete(party.number);
    return ![...running.parties.values()].some((other) => this.has(other));
  }

  /** Its connection's leaving means nothing any more. */
  forget(party: PartyRecord): void {
    removeFrom(this.#byOwner, keyOf(party.owner), party);
  }

  has({ id }: PartyRecord): boolean {
    return this.#parties.has(id);
  }

  /**
   * A party that belongs to the connection.
   * @throws {BrokerError} Unavailable when there is none, as when it left while the call was on its way
   */
  own({ bus, name }: Owner, id: string): PartyRecord {
    const party = this.#parties.get(id);
    if (party?.owner.bus !== bus || party.owner.name !== name)
      throw new BrokerError('Unavailable', 'This party is over.');
    return party;
  }

  /** Also of those that left, if they own buffers that others use. */
  ofConnection(owner: Pick<Owner, 'bus' | 'name'>): readonly PartyRecord[] {
    return [...(this.#byOwner.get(keyOf(owner)) ?? [])];
  }

  /** Tells what changed of a party since it was last told. */
  tell(party: PartyRecord): void {
    const view = viewOf(party);
    const summary = summaryOf(view);
    if (summary === party.told) return;
    party.told = summary;
    this.#events.partyChanged(view);
  }

  /** @throws {BrokerError} QuotaExceeded when the connection or its user has as many parties as it may */
  checkRoom(owner: Owner): void {
    if ((this.#byOwner.get(keyOf(owner))?.size ?? 0) >= PARTY_LIMITS.ofConnection)
      throw new BrokerError(
        'QuotaExceeded',
        `A connection has at most ${PARTY_LIMITS.ofConnection} parties.`,
      );
    const uid = payerOf(owner);
    const pending = [...(this.#byUser.get(uid) ?? [])].filter(({ running }) => running.collection.isPending);
    if (pending.length >= PARTY_LIMITS.pendingOfUser)
      throw new BrokerError(
        'QuotaExceeded',
        `A user has at most ${PARTY_LIMITS.pendingOfUser} parties without buffers; user ${uid} has them.`,
      );
  }
}

const keyOf = ({ bus, name }: Pick<Owner, 'bus' | 'name'>): string => `${bus} ${name}`;

function addTo<K>(map: Map<K, Set<PartyRecord>>, key: K, party: PartyRecord): void {
  const there = map.get(key);
  if (there === undefined) map.set(key, new Set([party]));
  else there.add(party);
}

function removeFrom<K>(map: Map<K, Set<PartyRecord>>, key: K, party: PartyRecord): void {
  const there = map.get(key);
  there?.delete(party);
  if (there?.size === 0) map.delete(key);
}

const summaryOf = ({ state, generation, held }: PartyView): string => `${state} ${generation} ${held}`;

function viewOf({ id, owner, number, running }: PartyRecord): PartyView {
  const { collection, generation, earlier } = running;
  const counted = (allocation: Allocation): number => allocation.view().layout.count;
  const now = generation === undefined ? 0 : counted(generation.allocation);
  return {
    id,
    owner,
    state: collection.state(number),
    generation: collection.generation,
    held: [...earlier].reduce((sum, allocation) => sum + counted(allocation), now),
  };
}

import { BrokerError } from '../../../dbus/errors.js';
import { below, domainOf, membersOf } from './dependence.js';
import { CREATOR_LEFT, ABANDONED, LEFT, NOT_CHOSEN, TIMED_OUT, WITHDRAWN } from './ends.js';
import { Seat } from './seat.js';
import {
  PARTY_LIMITS,
  type End,
  type Invitation,
  type Member,
  type Next,
  type PartyState,
  type Proposal,
  type Selection,
} from './party-types.js';

type Phase = 'gathering' | 'deciding' | 'ready' | 'over';

/**
 * Who takes part in one set of buffers, whom it waits for, and who is left. It makes nothing and waits for nothing itself:
 * events and the time go in, and what to do next comes out.
 */
export class Collection {
  /** In the order of their numbers. */
  #seats: readonly Seat[];
  #made = 1;
  #deadlineMs: number;
  #until: number;
  #phase: Phase = 'gathering';
  #generation = 0;
  #groups = 0;

  /** @param deadlineMs in which every party has to say what it needs */
  constructor(creator: Pick<Invitation, 'uid'>, deadlineMs: number, now: number) {
    const invitation = {
      part: 'must',
      uid: creator.uid,
      invites: Infinity,
      label: '',
    } as const;
    const first = new Seat(0, undefined, invitation);
    first.state = 'asked';
    this.#seats = [first];
    this.#deadlineMs = deadlineMs;
    this.#until = now + deadlineMs;
  }

  /** How often it got buffers. */
  get generation(): number {
    return this.#generation;
  }

  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /** Whether buffers are being decided on and made. */
  get isDeciding(): boolean {
    return this.#phase === 'deciding';
  }

  /** Whether nothing was made for it yet. */
  get isPending(): boolean {
    return this.#generation === 0 && !this.isOver;
  }

  seat(number: number): Seat {
    const seat = this.#seats.find((each) => each.number === number);
    if (seat === undefined) throw new RangeError(`there is no party ${number}`);
    return seat;
  }

  get seats(): readonly Seat[] {
    return this.#seats;
  }

  state(number: number): PartyState {
    const seat = this.seat(number);
    if (!seat.isAlive) return 'over';
    if (seat.state === 'asked') return 'asked';
    if (this.#phase !== 'ready' || seat.isSettling) return 'waiting';
    return seat.granted === undefined ? 'aside' : 'ready';
  }

  /** Why a party without buffers gets none; undefined while it may still get some, and where it has some. */
  endOf(number: number): End | undefined {
    const seat = this.seat(number);
    if (seat.end !== undefined) return seat.end;
    const isSettled = this.#phase === 'ready' && seat.state !== 'asked' && !seat.isSettling;
    return isSettled && seat.granted === undefined ? (seat.aside ?? NOT_CHOSEN) : undefined;
  }

  /**
   * Makes tokens.
   * @returns their numbers
   * @throws {BrokerError} InvalidRequest, AccessDenied, QuotaExceeded, or what ended the inviter's part
   */
  invite(by: number, count: number, invitation: Invitation, isOneOf: boolean): readonly number[] {
    const inviter = this.#alive(by);
    if ((this.#generation > 0 || this.#phase !== 'gathering') && invitation.part !== 'late')
      throw new BrokerError('InvalidRequest', 'part: the buffers are made already, only late is accepted.');
    const open = this.#seats.filter(({ isAlive }) => isAlive).length;
    if (open + count > PARTY_LIMITS.seats)
      throw new BrokerError(
        'QuotaExceeded',
        `A collection has at most ${PARTY_LIMITS.seats} parties and unused tokens; ${open} are there and ${count} were requested.`,
      );
    const cost = count * (1 + invitation.invites);
    if (cost > inviter.invites)
      throw new BrokerError(
        'AccessDenied',
        `This party may still make ${inviter.invites} tokens, those after them included; ${cost} were requested.`,
      );
    inviter.invites -= cost;
    const group = isOneOf ? (this.#groups += 1) : undefined;
    const offer = { ...invitation, ...(group !== undefined && { group }) };
    const made = Array.from({ length: count }, (_, at) => new Seat(this.#made + at, inviter, offer));
    this.#made += count;
    this.#seats = [...this.#seats, ...made];
    return made.map((seat) => seat.number);
  }

  /** Drops the seats that are over and of which nothing is asked any more, so that a long life does not gather them. */
  prune(isAskedOf: (number: number) => boolean): void {
    this.#seats = this.#seats.filter(({ isAlive, number }) => isAlive || isAskedOf(number));
  }

  /** A token is used. */
  join(number: number, now: number): void {
    const seat = this.seat(number);
    seat.state = 'asked';
    if (seat.part === 'late') seat.until = now + this.#deadlineMs;
  }

  /**
   * What a party needs, from now on.
   * @throws {BrokerError} what ended the party's part
   */
  constrain(number: number, proposal: Proposal): void {
    const seat = this.#alive(number);
    seat.constrained += 1;
    seat.proposal = proposal;
    seat.state = 'answered';
    seat.aside = undefined;
  }

  /** Whether a party may still say what it needs in this generation. */
  mayConstrain(number: number): boolean {
    return this.#alive(number).constrained < PARTY_LIMITS.constrains;
  }

  /** @throws {BrokerError} UnknownToken when another party made the token, or it is over already */
  withdraw(by: number, number: number): void {
    const seat = this.seat(number);
    if (seat.inviter?.number !== by || !seat.isAlive)
      throw new BrokerError('UnknownToken', 'This party made no such token.');
    for (const each of below(this.#seats, seat)) each.finish(WITHDRAWN);
  }

  /** A party is done: its needs count no more, and those that it invited stay. */
  leave(number: number): void {
    const seat = this.seat(number);
    if (!seat.isAlive) return;
    seat.leave();
    this.#dropTokensOf(seat);
    if (number !== 0) return;
    if (this.#generation === 0) this.fail(CREATOR_LEFT);
    // No one is left to pay for another generation.
    else this.refuse(CREATOR_LEFT);
  }

  /** A party's connection is gone. Before there are buffers, those that depend on it go as well. */
  vanish(number: number): void {
    const seat = this.seat(number);
    if (number === 0) this.fail(CREATOR_LEFT);
    else if (!seat.isAlive) return;
    else if (this.#generation === 0) this.#failDomain(seat, ABANDONED);
    else {
      seat.leave();
      this.#dropTokensOf(seat);
    }
  }

  /**
   * Begins another generation.
   * @throws {BrokerError} InvalidRequest while one is under way, or what ended it all
   */
  renew(deadlineMs: number | undefined, now: number): void {
    this.#alive(0);
    if (this.#phase !== 'ready')
      throw new BrokerError('InvalidRequest', 'Buffers are being agreed on already; wait for those.');
    this.#deadlineMs = deadlineMs ?? this.#deadlineMs;
    this.#until = now + this.#deadlineMs;
    this.#phase = 'gathering';
    for (const seat of this.#seats) if (seat.isAlive) seat.renew();
  }

  /** What follows from what was said, and from the time. */
  next(now: number): Next {
    const failed = this.#expire(now);
    if (failed !== undefined) return { do: 'fail', end: failed };
    if (this.#phase !== 'gathering') {
      const late = this.#seats.filter(({ isWaitedFor, until }) => isWaitedFor && until !== undefined);
      const until = Math.min(...late.map((seat) => seat.until ?? Infinity));
      return until === Infinity ? { do: 'nothing' } : { do: 'wait', until };
    }
    if (this.waited().length > 0) return { do: 'wait', until: this.#until };
    this.#phase = 'deciding';
    return { do: 'decide', members: this.members() };
  }

  /** Tokens and parties that are waited for. */
  waited(): readonly Seat[] {
    return this.#phase === 'gathering' ? this.#seats.filter((seat) => this.#waitsFor(seat)) : [];
  }

  /** Those that said what they need, in order. */
  members(): readonly Member[] {
    return membersOf(this.#seats);
  }

  /** There are buffers, for those that were chosen of the members that were decided about. */
  succeed(chosen: Selection, members: readonly Member[]): void {
    this.#phase = 'ready';
    this.#generation += 1;
    for (const seat of this.#seats) {
      const alternative = chosen.get(seat.number);
      const member = members.find(({ number }) => number === seat.number);
      seat.granted =
        alternative === undefined || member === undefined || !seat.isAlive
          ? undefined
          : { alternative, proposal: member.proposal };
      seat.constrained = 0;
      // A token of one that must, or may, works until there are buffers.
      if (seat.state === 'unused' && seat.part !== 'late') seat.finish(TIMED_OUT);
    }
  }

  /** There will be no buffers for this generation; earlier ones stay. */
  refuse(end: End): void {
    if (this.#generation === 0) this.fail(end);
    else if (!this.isOver) {
      this.#phase = 'ready';
      for (const seat of this.#seats) seat.keep();
    }
  }

  /** Nothing comes any more. */
  fail(end: End): void {
    this.#phase = 'over';
    for (const seat of this.#seats) seat.finish(end);
  }

  #alive(number: number): Seat {
    const seat = this.seat(number);
    const end = seat.end ?? (seat.isAlive ? undefined : LEFT);
    if (end !== undefined) throw new BrokerError(end.code, end.text);
    return seat;
  }

  #waitsFor(seat: Seat): boolean {
    return seat.isWaitedFor && seat.until === undefined && (seat.part !== 'late' || seat.state === 'asked');
  }

  /** @returns why another generation fails, because a party without which there is none was silent */
  #expire(now: number): End | undefined {
    for (const seat of this.#seats)
      if (seat.state === 'asked' && seat.until !== undefined && now >= seat.until) seat.finish(TIMED_OUT);
    if (this.#phase !== 'gathering' || now < this.#until) return undefined;
    const silent = this.#seats.filter((seat) => this.#waitsFor(seat));
    if (this.#generation > 0) {
      if (silent.some(({ part, group }) => part === 'must' && group === undefined)) return TIMED_OUT;
      for (const seat of silent) seat.setAside(TIMED_OUT);
      return undefined;
    }
    for (const seat of silent) if (this.#waitsFor(seat)) this.#failDomain(seat, TIMED_OUT);
    return undefined;
  }

  /** Ends the part of all that depend on a party, up to the nearest token that others can do without. */
  #failDomain(seat: Seat, end: End): void {
    const root = domainOf(seat);
    if (root.number === 0) {
      this.fail(end);
      return;
    }
    for (const each of below(this.#seats, root)) each.finish(end);
    const { group } = root;
    if (group === undefined || root.part !== 'must' || root.inviter === undefined) return;
    // One of several was needed: when none is left, who invited them cannot do without.
    if (this.#seats.every((other) => other.group !== group || other.end !== undefined))
      this.#failDomain(root.inviter, end);
  }

  #dropTokensOf(inviter: Seat): void {
    for (const seat of this.#seats)
      if (seat.inviter === inviter && seat.state === 'unused') seat.finish(WITHDRAWN);
  }
}

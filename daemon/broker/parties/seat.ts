import type { End, Granted, Invitation, Part, Proposal } from './party-types.js';

/** What became of a token: it is unused; its party is asked for its needs, or has said them; it left, or its part ended. */
type State = 'unused' | 'asked' | 'answered' | 'left' | 'ended';

/** One place of a collection: a token, and then the party that came with it. Only the collection changes it. */
export class Seat {
  readonly number: number;
  /** Absent for the party that began. */
  readonly inviter: Seat | undefined;
  readonly part: Part;
  readonly group: number | undefined;
  readonly uid: number;
  readonly label: string;
  state: State = 'unused';
  /** Why its part ended. */
  end: End | undefined;
  /** Why it has no part in the present generation, though it may have in the next. */
  aside: End | undefined;
  proposal: Proposal | undefined;
  /** How often it said its needs in this generation. */
  constrained = 0;
  /** Tokens that it may still make, and those after it. */
  invites: number;
  /** What the present buffers are for; absent where they are not for this party. */
  granted: Granted | undefined;
  /** Whether it is being found out if the present buffers suit it. */
  isSettling = false;
  /** Milliseconds of the clock until a late party has to say its needs; the others have the collection's time. */
  until: number | undefined;

  constructor(number: number, inviter: Seat | undefined, { part, group, uid, label, invites }: Invitation) {
    this.number = number;
    this.inviter = inviter;
    this.part = part;
    this.group = group;
    this.uid = uid;
    this.label = label;
    this.invites = invites;
  }

  /** Whether it is a token that works, or a party that may still get buffers. */
  get isAlive(): boolean {
    return this.state !== 'left' && this.state !== 'ended';
  }

  /** Whether it has still to say its needs: an unused token of a late one never has. */
  get isWaitedFor(): boolean {
    return this.state === 'asked' || (this.state === 'unused' && this.part !== 'late');
  }

  /** Whether it joined late and says its needs for the first time. */
  get isLateNow(): boolean {
    return this.part === 'late' && this.state === 'asked' && this.proposal === undefined;
  }

  /** A generation does not come about: what it was not in time to say is not asked of it any more. */
  keep(): void {
    if (this.state === 'asked' && this.until === undefined) this.state = 'answered';
  }

  leave(): void {
    this.state = 'left';
    this.granted = undefined;
  }

  /** Its part ends, unless it did before. */
  finish(end: End): void {
    if (!this.isAlive) return;
    this.state = 'ended';
    this.end = end;
  }

  /** It has no part in this generation. */
  setAside(end: End): void {
    this.aside = end;
    this.state = 'answered';
    this.proposal = undefined;
  }

  /** Another generation begins; a party that joined late has the same time as all others from now on. */
  renew(): void {
    this.constrained = 0;
    this.aside = undefined;
    this.until = undefined;
    if (this.state === 'answered' && this.proposal?.keep !== true) this.state = 'asked';
  }
}

import type { ErrorCode } from '../../../dbus/errors.js';
import { LIMITS } from '../../../dbus/names.js';
import type { OwnedFd } from '../../../dbus/owned-fd.js';
import type { Constraint } from '../../constraints/constraint-types.js';
import type { GrantedLayout, Owner } from '../../ledger/ledger-types.js';
import type { Entry } from '../request-types.js';

/** Whether buffers wait for a party, and do without it: `late` ones are not waited for. */
export type Part = 'must' | 'may' | 'late';

/** What a token allows. */
export interface Invitation {
  readonly part: Part;
  /** Tokens of one call of which one takes part share a number; absent where each stands by itself. */
  readonly group?: number;
  /** Tokens that its party may make in turn, and those after it. */
  readonly invites: number;
  /** uid that it works for. */
  readonly uid: number;
  /** For a person. */
  readonly label: string;
}

/** What a party says that it needs. */
export interface Proposal {
  /** Device lists, the preferred first, at least one; a list may be empty. */
  readonly alternatives: readonly (readonly Entry[])[];
  /** Buffers beyond `min-buffers`. */
  readonly spare?: number;
  readonly countMin?: number;
  readonly countMax?: number;
  /** Whether it holds for later generations as well. */
  readonly keep: boolean;
}

/** A party that said what it needs, as far as a decision looks at it. */
export interface Member {
  readonly number: number;
  readonly isOptional: boolean;
  readonly group?: number;
  /** Number of the nearest party that invited it and has needs of its own: without that one it has no part. */
  readonly dependsOn?: number;
  readonly proposal: Proposal;
}

/** What a party was given the present buffers for. */
export interface Granted {
  readonly alternative: number;
  readonly proposal: Proposal;
}

/** Chosen alternatives by the number of the party, in the order of numbers. */
export type Selection = ReadonlyMap<number, number>;

/** Why a party gets nothing. */
export interface End {
  readonly code: ErrorCode;
  readonly text: string;
  /** Whether the text is for the first party's user alone, because it tells of that user's quotas and devices. */
  readonly isPrivate?: true;
  /** What it was made from, for the log. */
  readonly cause?: unknown;
}

/** What a collection asks for next. */
export type Next =
  | { readonly do: 'wait'; /** Milliseconds of the clock. */ readonly until: number }
  | { readonly do: 'decide'; readonly members: readonly Member[] }
  /** Another generation does not come about; the earlier buffers stay. */
  | { readonly do: 'fail'; readonly end: End }
  | { readonly do: 'nothing' };

/** What a party is told of itself. */
export type PartyState = 'asked' | 'waiting' | 'ready' | 'aside' | 'over';

/** A party as its own connection sees it. */
export interface PartyView {
  readonly id: string;
  readonly owner: Owner;
  readonly state: PartyState;
  /** How often the collection got buffers. */
  readonly generation: number;
  /** Buffers that count: of this generation, and of earlier ones that something still holds. */
  readonly held: number;
}

export interface PartyEvents {
  partyAdded(view: PartyView): void;
  partyChanged(view: PartyView): void;
  partyRemoved(view: PartyView): void;
}

/** What the party that began says of the buffers. */
export interface BufferSpec {
  /** An image without its format, or bytes. */
  readonly content:
    | { readonly width: number; readonly height: number; readonly modifiers?: readonly bigint[] }
    | { readonly size: bigint };
  /** Fourccs, the preferred first; empty where the parties' formats decide. */
  readonly formats: readonly string[];
  /** Just so many buffers. */
  readonly count?: number;
  /** `count`, or 16, where absent. */
  readonly maxBuffers?: number;
  /** Of one generation, all buffers together. */
  readonly maxBytes?: bigint;
  readonly label?: string;
}

/** What a party is given of the present generation. */
export interface PartyBuffers {
  readonly layout: GrantedLayout;
  readonly generation: number;
  /** The receiver's. */
  readonly fds: readonly OwnedFd[];
  /** Call it when they were sent. */
  readonly delivered: () => void;
}

/** A constraint of a whole set, as one of the parties may see it. */
export interface PartyConstraint {
  /** Its `entry` is the place in the party's own list. */
  readonly constraint: Constraint;
  /** Number of the party that it comes from; -1 for memories and for what the first party says of the buffers. */
  readonly party: number;
  /** The party's alternative. */
  readonly alternative: number;
  /** Whether it is another user's: then only its kind and its party may be told. */
  readonly isHidden: boolean;
}

/** A token that is waited for. */
export interface WaitedToken {
  readonly label: string;
  readonly state: 'unused' | 'asked';
  readonly party: number;
}

/** One party, as the first party may see it. */
export interface PartyInfo {
  readonly party: number;
  /** -1 of the first. */
  readonly inviter: number;
  readonly label: string;
  readonly state: string;
  /** That was chosen; -1 none. */
  readonly alternative: number;
  /** Its `min-buffers`. */
  readonly buffers: number;
  /** Of the same user only. */
  readonly unit?: string;
}

/** The decision with its reasons, of what was said so far. */
export interface PartyExplanation {
  readonly feasible: boolean;
  readonly layout?: GrantedLayout;
  readonly constraints: readonly PartyConstraint[];
  readonly conflicts: readonly PartyConstraint[];
  readonly limits: readonly string[];
  readonly suggestions: readonly string[];
  readonly waiting: readonly WaitedToken[];
  /** For the first party. */
  readonly parties?: readonly PartyInfo[];
}

/**
 * Sets of buffers that several connections agree on. Everything throws BrokerError, or LimitsExceeded, as the D-Bus
 * interface says of the member.
 */
export interface Negotiation {
  /** @param deadlineMs in which every party has to say what it needs. @returns the id of the caller's party */
  negotiate(owner: Owner, spec: BufferSpec, deadlineMs: number): string;
  /** @returns the id of the caller's party */
  join(owner: Owner, token: string): string;
  /** @returns the tokens */
  invite(
    owner: Owner,
    id: string,
    count: number,
    invitation: Invitation,
    isOneOf: boolean,
  ): readonly string[];
  withdraw(owner: Owner, id: string, token: string): void;
  constrain(owner: Owner, id: string, proposal: Proposal): void;
  /** @param first index of the first buffer that is wanted */
  buffers(owner: Owner, id: string, first: number): Promise<PartyBuffers>;
  /** Bounds of the set that `spec` leaves out stay as they were. */
  renew(owner: Owner, id: string, spec: BufferSpec, deadlineMs: number | undefined): void;
  /** What was said of the buffers last. */
  specOf(owner: Owner, id: string): BufferSpec;
  explain(owner: Owner, id: string): Promise<PartyExplanation>;
  leave(owner: Owner, id: string): void;
  /** Nothing comes any more: what waits is answered with Unavailable. */
  shutDown(): void;
  views(): readonly PartyView[];
}

/** Sizes that the contract fixes. */
export const PARTY_LIMITS = {
  /** Parties and unused tokens of one collection. */
  seats: 32,
  alternatives: 8,
  combinations: 64,
  buffers: LIMITS.buffersPerCollection,
  ofConnection: 64,
  pendingOfUser: 256,
  constrains: 8,
  waitingCalls: 4,
  wrongTokens: 10,
  /** Milliseconds in which every party has to say what it needs. */
  deadlineMs: { least: 100, most: LIMITS.deadlineMs, usual: 5000 },
} as const;

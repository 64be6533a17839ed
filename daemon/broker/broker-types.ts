import type { Accounts } from '../../dbus/accounts/account.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import type { Constraint } from '../constraints/constraint-types.js';
import type { Device } from '../devices/inventory.js';
import type { AllocationView, GrantedLayout, Owner } from '../ledger/ledger-types.js';
import type { PoolView } from '../pools/pool.js';
import type { Shortfall } from '../sizing/shortfalls.js';
import type { Negotiation, PartyEvents } from './parties/party-types.js';
import type { ClientLimits, Entry, TakenFormat } from './request-types.js';

/** The broker as `daemon/bus/` sees it: typed requests in, values out. Nothing here knows D-Bus. */
export type { AllocationView, ClientLimits, Entry, GrantedLayout, Owner, PoolView, Shortfall, TakenFormat };

export interface ImageSpec {
  /** Fourcc of four characters, padded with spaces. */
  readonly format: string;
  /** Pixels, 1 to 2³²−1. */
  readonly width: number;
  readonly height: number;
  readonly modifiers?: readonly bigint[];
}

export interface NewRequest {
  readonly entries: readonly Entry[];
  readonly content: ImageSpec | { readonly size: bigint };
  /** From 1, when given; no more than fit into the reply. */
  readonly count?: number;
  /** Descriptors that fit into the reply, where that is not the bus's number. */
  readonly perReply?: number;
  /** At least `count`, when given. */
  readonly total?: number;
  /** At most 31 bytes, no control characters. */
  readonly label?: string;
  /** Whether the error of a conflict is to carry the constraints as data. */
  readonly errorData?: boolean;
}

export interface ExtendRequest {
  /** Id of the allocation that grows. */
  readonly extends: string;
  readonly count?: number;
  /** As in a new request. */
  readonly perReply?: number;
}

export interface Granted {
  readonly allocation: AllocationView;
  /** Layout of this call: `count` is the number of its buffers. */
  readonly layout: GrantedLayout;
  /** Those of each buffer one after the other, the receiver's from now on. */
  readonly fds: readonly OwnedFd[];
}

export interface Explanation {
  readonly feasible: boolean;
  /** Present when feasible. */
  readonly layout?: GrantedLayout;
  readonly constraints: readonly Constraint[];
  /** Empty when feasible. */
  readonly conflicts: readonly Constraint[];
  /** Where the search ended before `conflicts` was proved to be a smallest set. */
  readonly isSmallest?: false;
  /** Why the image has none of the other modifiers that were listed, for a person. */
  readonly leftOut?: readonly string[];
  /** What `Allocate` would still refuse, for a person. */
  readonly limits: readonly string[];
  readonly suggestions: readonly string[];
}

export interface DeviceView {
  readonly device: Device;
  /** Its own limits and policy's, as constraints (entry −1). */
  readonly constraints: readonly Constraint[];
  /** Handles of the pools that it can reach. */
  readonly pools: readonly string[];
}

/** What a change touched; `bus/` turns it into signals. */
export interface BrokerEvents extends PartyEvents {
  deviceAdded(view: DeviceView): void;
  /** Policy's rules for it, or the pools that it can reach, changed. */
  deviceChanged(view: DeviceView): void;
  deviceRemoved(view: DeviceView): void;
  poolAdded(view: PoolView): void;
  poolRemoved(view: PoolView): void;
  poolChanged(view: PoolView): void;
  allocationAdded(view: AllocationView): void;
  /** It grew, or its owner left and others still hold it. */
  allocationChanged(view: AllocationView): void;
  allocationRemoved(view: AllocationView): void;
  /** LiveBytes, LiveBuffers, PolicyFiles, Shortfalls or Warnings changed. */
  totalsChanged(): void;
}

export interface Totals {
  readonly liveBytes: bigint;
  readonly liveBuffers: number;
  readonly policyFiles: readonly string[];
  readonly shortfalls: readonly Shortfall[];
  readonly warnings: readonly string[];
}

/** How many channels are open. */
export interface OpenChannels {
  readonly client: number;
  readonly user: number;
}

/** Knows which users have an active session. */
export interface Sessions {
  /** Whether the user has a session that is active. Never rejects: what cannot be told is a no. */
  isActive(uid: number): boolean | Promise<boolean>;
}

/**
 * One request's way. Every refusal is a BrokerError; nothing else is thrown but for a bug. An operation that fails has
 * undone what it did.
 */
export interface Broker {
  /** Every user's account: what it has under way. */
  readonly accounts: Accounts;
  /** Sets of buffers that several connections agree on. */
  readonly parties: Negotiation;
  /** At once when the memory lies ready. Refuses through the promise. */
  allocate(owner: Owner, request: NewRequest | ExtendRequest): Granted | Promise<Granted>;
  /** The same decision without allocating: at once when it was made before. Refuses through the promise. */
  explain(owner: Owner, request: NewRequest): Explanation | Promise<Explanation>;
  /**
   * Whether the caller may open a channel.
   * @param open what there are, of this connection and of its user
   * @throws {BrokerError} QuotaExceeded
   */
  admitChannel(owner: Owner, open: OpenChannels): void;
  /** @param administrator may release what others own. @throws {BrokerError} UnknownAllocation */
  release(owner: Owner, id: string, administrator: boolean): void;
  /** The reply of this grant did not reach its client: gives back what the grant gave. */
  undo(granted: Granted): void;
  /** The reply of this grant was sent to the bus. */
  delivered(granted: Granted): void;
  /** A connection left the bus: releases what it owned, and what is still being made for it. */
  ownerLeft(bus: string, name: string): void;
  /** Reads policy again; a failure changes nothing. */
  reload(): Promise<void>;
  /** @throws {BrokerError} InvalidRequest when there is no such pool */
  setPoolLimit(handle: string, bytes: bigint): void;
  /** Heap name and details behind a handle. @throws {BrokerError} InvalidRequest */
  reveal(handle: string): ReadonlyMap<string, string | bigint | boolean>;
  devices(): readonly DeviceView[];
  pools(): readonly PoolView[];
  allocations(): readonly AllocationView[];
  totals(): Totals;
  /** Adds a listener. */
  listen(events: Partial<BrokerEvents>): void;
  /** Sets the source of sessions, in the place of the one before. Until then no user has a session. */
  consult(sessions: Sessions): void;
}

import type { CpuAccess } from '../dbus/names.js';

/**
 * The data that the broker answers with. As on the bus, integers of 64 bits (sizes and offsets in bytes, modifiers) are
 * bigint and smaller ones are number. Words that a later daemon may add to (classes, uses, states) are plain strings.
 */

/** A value of the contract's variants. */
export type Value = string | number | bigint | boolean | readonly Value[];

/** One plane of an image. */
export interface PlaneLayout {
  /** Bytes from the start of the buffer, or of the descriptor that the plane lies in. */
  readonly offset: bigint;
  /** Bytes from one row to the next (wl_buffer's and V4L2's "stride"). */
  readonly pitch: number;
}

/** What every buffer of an allocation is like. */
export interface MemoryLayout {
  /** Bytes of a buffer that are asked for and used, of all its descriptors; the memory behind may be larger. */
  readonly size: bigint;
  /** Number of buffers. */
  readonly count: number;
  /** Opaque handle of the pool that it came from. */
  readonly pool: string;
  /** How a CPU sees the buffer; `none` cannot be mapped. */
  readonly cpuAccess: CpuAccess;
}

export interface ImageLayout extends MemoryLayout {
  /** DRM fourcc without trailing spaces: `XR24`, `NV12`, `R8`; for camera raw V4L2's: `pRAA`. */
  readonly format: string;
  /** DRM format modifier; 0 is linear. */
  readonly modifier: bigint;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly planes: readonly PlaneLayout[];
  /** For each plane, which of the buffer's descriptors it lies in; absent where one holds all planes. */
  readonly planeFds?: readonly number[];
  /** Bytes of each of the buffer's descriptors; absent where there is one. */
  readonly fdSizes?: readonly bigint[];
}

export type Layout = MemoryLayout | ImageLayout;

/** Bytes of each descriptor of a buffer. */
export const fdSizesOf = (layout: Layout): readonly bigint[] =>
  ('fdSizes' in layout ? layout.fdSizes : undefined) ?? [layout.size];

/** One fact that limits where or how a buffer may be laid out. */
export interface ConstraintInfo {
  /** Place in the request's device list; −1 for what belongs to no entry (the buffer, a memory). */
  readonly entry: number;
  /** The device's node, or `cpu`; empty when it belongs to no entry. */
  readonly device: string;
  /** What kind it is: `pitch-multiple`, `reach`, `contiguous`, and so on. */
  readonly constraint: string;
  readonly value: Value;
  /** `client`, `request`, `kernel:…`, `trial:…`, `policy:FILE:LINE`, `memory:HANDLE`; `default` where none of them says anything. */
  readonly source: string;
  /**
   * In a negotiation, the number of the party that it comes from; −1 for memories and the buffer. Of another user's party
   * only this and `constraint` are told: `entry` is −1, and the rest is empty.
   */
  readonly party?: number;
  /** In a negotiation, which of the party's alternatives it belongs to. */
  readonly alternative?: number;
}

/** The broker's decision and its reasons. */
export interface Explanation {
  /** Whether a layout and a memory exist. `limits` may still stand in the way of having it now. */
  readonly feasible: boolean;
  /** Absent when it is not feasible. */
  readonly layout?: Layout;
  /** Handle of the pool that would serve it; absent when it is not feasible. */
  readonly pool?: string;
  readonly constraints: readonly ConstraintInfo[];
  /** An irreducible set of constraints that cannot hold together; empty when feasible. */
  readonly conflicts: readonly ConstraintInfo[];
  /** Why the image has none of the other modifiers that were listed, for a person; absent where it has them all. */
  readonly leftOut?: readonly string[];
  /** What `allocate` would still refuse: `MaxBuffer`, a quota, a full pool. */
  readonly limits: readonly string[];
  readonly suggestions: readonly string[];
}

export interface FormatInfo {
  /** DRM fourcc. */
  readonly format: string;
  readonly modifiers: readonly bigint[];
}

/** A device that touches buffers. */
export interface DeviceInfo {
  readonly kind: 'device';
  /** D-Bus object path; names the device in a request. */
  readonly path: string;
  /** `/dev/dri/card0`, or `cpu`. */
  readonly node: string;
  readonly otherNodes: readonly string[];
  /** `major:minor`. */
  readonly number: string;
  readonly subsystem: string;
  readonly driver: string;
  readonly name: string;
  readonly uses: readonly string[];
  readonly formats: readonly FormatInfo[];
  readonly constraints: readonly ConstraintInfo[];
  /** Handles of the pools that it can reach. */
  readonly pools: readonly string[];
}

/** The broker's budget and stock of one kind of memory. Bytes. */
export interface PoolInfo {
  readonly kind: 'pool';
  readonly path: string;
  /** Random at every start of the daemon, so that nothing can depend on it. */
  readonly handle: string;
  /** `scattered`, `contiguous`, `device`, `protected` or `plain`. */
  readonly class: string;
  readonly limit: bigint;
  readonly live: bigint;
  /** Ready for the next request. */
  readonly warm: bigint;
  readonly hits: bigint;
  readonly misses: bigint;
}

/** An allocation as the broker counts it. A user sees its own, an administrator all. */
export interface AllocationInfo {
  readonly kind: 'allocation';
  readonly path: string;
  /** Unique bus name of the owner. */
  readonly owner: string;
  /** Uid of the owner. */
  readonly user: number;
  /** systemd unit of the owner; empty when unknown. */
  readonly unit: string;
  readonly label: string;
  readonly pool: string;
  readonly layout: Layout;
  /** Bytes of all its buffers that count. */
  readonly size: bigint;
  readonly created: Date;
  /** `held`, or `orphaned` while others still hold what its owner released or left behind. */
  readonly state: string;
}

/** The broker as a whole. */
export interface BrokerStatus {
  readonly kind: 'broker';
  readonly path: string;
  readonly version: string;
  readonly maxFdsPerReply: number;
  readonly liveBytes: bigint;
  readonly liveBuffers: bigint;
  /** Private sockets that clients have instead of the bus. */
  readonly channels: number;
  /** Policy files in the order in which they count. */
  readonly policyFiles: readonly string[];
  /** What the machine lacks against policy. */
  readonly shortfalls: readonly Details[];
  readonly warnings: readonly string[];
}

/** Named values whose names the contract leaves open. */
export type Details = Readonly<Record<string, Value>>;

/** Whatever the broker shows on the bus. */
export type BrokerObject = BrokerStatus | DeviceInfo | PoolInfo | AllocationInfo;

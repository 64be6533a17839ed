/**
 * The words of this room. It is pure: it imports nothing but its own files and the table of limits, and the rooms above
 * make the constraints that it combines.
 */
import type { LimitValues } from '../../dbus/limits.js';

/** One plane of a format: a sample covers `hsub` × `vsub` pixels and takes `bytes` (YUYV: 2 × 1 pixels, 4 bytes). */
export interface PlaneShape {
  readonly hsub: number;
  readonly vsub: number;
  readonly bytes: number;
}

/** How a DRM format lays its pixels in memory when the modifier is linear. */
export interface PixelFormat {
  /** Four characters, trailing spaces kept (`R8  `). */
  readonly fourcc: string;
  readonly planes: readonly PlaneShape[];
}

/** Where a constraint comes from. */
export interface Origin {
  /** Place in the request's device list, −1 for what belongs to no entry (the buffer, a memory). */
  readonly entry: number;
  /** The device as the inventory names it (its node, or `cpu`); empty when entry is −1. */
  readonly device: string;
  /** `client`, `request`, `kernel:…`, `trial:…`, `policy:FILE:LINE`, `memory:HANDLE`; `default` where none of them says anything. */
  readonly source: string;
}

/**
 * What each kind of constraint says: the limits of the table, and what else the machine and the request bring. Of
 * `contiguous`, `protected` and `address-bits`, a participant says what it needs, a memory (`Constraint.memory`) what it is.
 */
export interface ConstraintValues extends LimitValues {
  /** The device takes the request's format with these modifiers; none when it does not take the format at all. */
  formats: readonly bigint[];
  modifiers: readonly bigint[];
  /** Handles of the memories that the participant can reach. */
  reach: readonly string[];
  /** Buffers in the whole set, as the request says (under the name of the key that said it). */
  total: number;
  count: number;
  /** What parties that agree on one set say of it: buffers that help besides, and how many there are at least or at most. */
  spare: number;
  'count-min': number;
  'count-max': number;
  'max-buffers': number;
  /** The image itself, named when not even it alone can be laid out: pixels, or bytes. */
  width: number;
  height: number;
  size: bigint;
}

export type ConstraintKind = keyof ConstraintValues;

/** One fact that limits where or how a buffer may be laid out, with its source. */
export type Constraint = {
  [K in ConstraintKind]: {
    readonly kind: K;
    readonly value: ConstraintValues[K];
    readonly origin: Origin;
    /** Handle of the memory that this is a property of; absent when it is asked of every memory. */
    readonly memory?: string;
    /** For `pitch-multiple`: it applies only to a pitch of more bytes than this. */
    readonly above?: number;
    /** For `planes-contiguous`: the multiple to which the participant itself rounds the rows up; 1 if absent. */
    readonly rows?: number;
    /** For `planes-contiguous`: planes that have descriptors of their own will do as well. */
    readonly orApart?: true;
    /** What a driver does with its own buffers and nothing is known to need: it gives way where it cannot be met. */
    readonly habit?: true;
  };
}[ConstraintKind];

/** A memory that a buffer could come from, as the rooms above see it: a pool. */
export interface Memory {
  readonly handle: string;
  readonly class: string;
  readonly contiguous: boolean;
  readonly protected: boolean;
  /** Modifiers that it can lay out. */
  readonly modifiers: readonly bigint[];
  /** Its addresses lie below 2^addressBits. */
  readonly addressBits: number;
}

export interface Image {
  readonly format: PixelFormat;
  /** Pixels, 1 to 2³²−1. */
  readonly width: number;
  readonly height: number;
}

/** What is asked, with everything that limits it. */
export interface Problem {
  /** An image, or plain bytes. */
  readonly content: Image | { readonly size: bigint };
  /** Buffers in the set; a `total` or `count` constraint stands in `constraints` when the request said how many. */
  readonly constraints: readonly Constraint[];
  /** In order of preference among equals. */
  readonly memories: readonly Memory[];
}

export interface PlaneLayout {
  /** Bytes from the start of the buffer, or of the plane's own descriptor. */
  readonly offset: bigint;
  /** Bytes from one row to the next. */
  readonly pitch: number;
}

export interface Layout {
  /** Absent for memory with no image in it. */
  readonly image?: {
    readonly format: string;
    readonly modifier: bigint;
    readonly width: number;
    readonly height: number;
    readonly planes: readonly PlaneLayout[];
  };
  /** Bytes of a buffer, of all its descriptors together. */
  readonly size: bigint;
  /** Bytes of each descriptor of a buffer, one a plane; absent where one holds everything. */
  readonly fdSizes?: readonly bigint[];
}

/** The answer, with all the constraints that it stands on (those of the memories too). */
export type Decision =
  | {
      readonly feasible: true;
      readonly layout: Layout;
      /** Every memory that would do, best first. */
      readonly memories: readonly Memory[];
      readonly constraints: readonly Constraint[];
    }
  | {
      readonly feasible: false;
      /** Irreducible: without any one of them the others can hold together. */
      readonly conflict: readonly Constraint[];
      /** Whether no other such set has fewer; otherwise the search ended before that was known. */
      readonly isSmallest: boolean;
      readonly constraints: readonly Constraint[];
    };

export const LINEAR = 0n;
/** DRM_FORMAT_MOD_INVALID: an implicit layout, which the contract does not take. */
export const MODIFIER_INVALID = 0x00ff_ffff_ffff_ffffn;

import type { Explanation } from './model.js';

/** What parties of a negotiation say, and what they are told. Names are those of the D-Bus contract in camel case. */

interface CollectionBuffers {
  /** Exactly so many buffers, 1 to 64. Without it, as many as the needs of all parties add up to. */
  readonly count?: number;
  /** Shown by the kernel's own tools; at most 31 bytes. */
  readonly label?: string;
}

/** Buffers that hold an image, for several parties. */
export interface ImageCollectionRequest extends CollectionBuffers {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** DRM fourcc: `XR24`, `NV12`; for camera raw V4L2's: `pRAA`. Without this and `formats`, the parties' formats decide. */
  readonly format?: string;
  /** In the place of `format`: accepted ones, the preferred first. Never empty. */
  readonly formats?: readonly string[];
  /** Accepted format modifiers; 0 is linear. Never empty. */
  readonly modifiers?: readonly bigint[];
}

/** Buffers with no image in them, for several parties. */
export interface MemoryCollectionRequest extends CollectionBuffers {
  /** Bytes. */
  readonly size: number | bigint;
}

/** What the party that begins says of the buffers. */
export type CollectionRequest = ImageCollectionRequest | MemoryCollectionRequest;

/** How a negotiation is bounded. */
export interface NegotiateOptions {
  /** Milliseconds in which every party has to say what it needs: 100 to 20,000 (5,000). */
  readonly deadline?: number;
  /** Buffers of one generation at most, 1 to 64 (`count`, or 16). */
  readonly maxBuffers?: number;
  /** Bytes of one generation at most, all buffers together. */
  readonly maxBytes?: number | bigint;
}

/** What a token allows. */
export interface InviteOptions {
  /**
   * `must` (the default): without that party, there are no buffers. `may`: it is left out if it does not fit, leaves, or is
   * not in time. `late`: it is not waited for, and gets the buffers that there are if they suit it.
   */
  readonly part?: 'must' | 'may' | 'late';
  /** Tokens that the party may make in turn, those after them included (0); they count against one's own at once. */
  readonly invites?: number;
  /** uid of the user that the token is for; by default one's own. */
  readonly user?: number;
  /** For `explain`; at most 31 bytes. */
  readonly label?: string;
}

/** What a party needs of the whole set, besides its devices. */
export interface Needs {
  /** Buffers beyond `minBuffers` that help; the largest of all parties counts, once. */
  readonly spare?: number;
  /** Buffers of the whole set at least, from 1. */
  readonly countMin?: number;
  /** Buffers of the whole set at most, from 1. */
  readonly countMax?: number;
  /** Whether it holds for later generations as well (true); false: it is asked again. */
  readonly keep?: boolean;
}

/**
 * `asked`: it has to say what it needs. `waiting`: for others. `ready`: there are buffers. `aside`: there are buffers, which
 * do not suit it. `over`: nothing comes any more.
 */
export type PartyState = 'asked' | 'waiting' | 'ready' | 'aside' | 'over';

/** A token that is waited for. */
export interface WaitedToken {
  readonly label: string;
  /** `unused`, or `asked` once a party joined with it. */
  readonly state: string;
  /** Number of its party. */
  readonly party: number;
}

/** One party, as the first one sees it. */
export interface PartyInfo {
  /** Its number: 0 is who began, and the others are numbered as their tokens were made. */
  readonly party: number;
  /** Number of the party that invited it; −1 of the first. */
  readonly inviter: number;
  readonly label: string;
  /** A `PartyState`, or `unused` while its token is. */
  readonly state: string;
  /** Which of its alternatives was chosen; −1 none. */
  readonly alternative: number;
  /** Buffers that it holds at once. */
  readonly buffers: number;
  /** systemd unit; absent for a party of another user, and where it is unknown. */
  readonly unit?: string;
}

/** The decision of a negotiation and its reasons, of what was said so far. */
export interface PartyExplanation extends Explanation {
  /** Tokens of this party that are waited for. */
  readonly waiting: readonly WaitedToken[];
  /** All parties; only the first one is told of them. */
  readonly parties?: readonly PartyInfo[];
}

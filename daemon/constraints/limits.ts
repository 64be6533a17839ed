import { MAX_PITCH_BYTES } from './integers.js';

/** What a memory cannot do, as far as its own constraints say. */
export interface MemoryLimits {
  readonly modifiers?: readonly bigint[];
  readonly scattered?: boolean;
  readonly unprotected?: boolean;
  readonly addressBits?: number;
}

/** Bytes: a pitch that is larger than `above` is a multiple of `multiple`. */
export interface PitchCondition {
  readonly above: number;
  readonly multiple: number;
}

/**
 * Everything that is asked, merged: one value where there were many constraints. The rules of `kinds/` fold constraints
 * into it; layout and memory are then decided from it alone. The lists and maps in it are replaced, never changed.
 */
export interface Limits {
  /** Modifiers that all devices take; undefined while none has listed any. */
  modifiers: readonly bigint[] | undefined;
  /** Bytes; Infinity when no pitch of 32 bits is such a multiple. */
  pitchMultiple: number;
  /** Multiples that only pitches above so many bytes must be. */
  pitchAbove: readonly PitchCondition[];
  /** Pixels that every pitch holds a multiple of: 0 where nothing is asked, Infinity where no pitch holds so many. */
  widthMultiple: number;
  pitchMin: number;
  pitchMax: number;
  /** Steps that every pitch is exactly the row rounded up to. */
  pitchExact: readonly number[];
  pitchLinked: boolean;
  offsetMultiple: bigint;
  /** Steps that the rows of planes that follow one another at once are exactly rounded up to; none where planes may lie apart. */
  contiguousRows: readonly bigint[];
  /** Some participant needs a descriptor for each plane, or one for all. */
  planesApart: boolean;
  planesTogether: boolean;
  heightMultiple: bigint;
  sizeMultiple: bigint;
  sizeMin: bigint;
  /** Bytes behind the last plane. */
  sizeExtra: bigint;
  maxWidth: number;
  maxHeight: number;
  contiguous: boolean;
  protected: boolean;
  /** Some device takes unprotected memory only. */
  unprotected: boolean;
  addressBits: number;
  /** Memories that all devices reach; undefined while none has said. */
  reach: readonly string[] | undefined;
  minBuffers: number;
  /** Buffers beside those. */
  spareBuffers: number;
  /** Buffers of the whole set at least, however few are held. */
  countMin: number;
  maxBuffers: number;
  /** By handle. */
  memories: ReadonlyMap<string, MemoryLimits>;
}

const NO_MEMORIES: ReadonlyMap<string, MemoryLimits> = new Map();

/** Limits that nothing has been folded into: everything goes. */
export function noLimits(): Limits {
  return {
    modifiers: undefined,
    pitchMultiple: 1,
    pitchAbove: [],
    widthMultiple: 0,
    pitchMin: 0,
    pitchMax: MAX_PITCH_BYTES,
    pitchExact: [],
    pitchLinked: false,
    offsetMultiple: 1n,
    contiguousRows: [],
    planesApart: false,
    planesTogether: false,
    heightMultiple: 1n,
    sizeMultiple: 1n,
    sizeMin: 0n,
    sizeExtra: 0n,
    maxWidth: Infinity,
    maxHeight: Infinity,
    contiguous: false,
    protected: false,
    unprotected: false,
    addressBits: Infinity,
    reach: undefined,
    minBuffers: 0,
    spareBuffers: 0,
    countMin: 0,
    maxBuffers: Infinity,
    memories: NO_MEMORIES,
  };
}

/** Folds a property of one memory in. */
export function limitMemory(into: Limits, handle: string, limit: MemoryLimits): void {
  into.memories = new Map(into.memories).set(handle, { ...into.memories.get(handle), ...limit });
}

/**
 * The table of limits: what a device, a policy file or a client can say of a buffer's layout and memory. Every list of
 * them in the daemon, the client library and the manual pages comes from it. How the values of several participants
 * merge is said in `daemon/constraints/kinds/`.
 */

interface Row {
  /**
   * Which part of a decision it takes part in: where planes lie (`layout`), which memory does (`memory`), or how many
   * buffers there are (`count`).
   */
  readonly part: 'layout' | 'memory' | 'count';
  /** Whether it speaks of an image; memory with no image in it cannot keep it. */
  readonly imageOnly: boolean;
  /** What it says, for people: the same words in the D-Bus interface and, as a sentence, in the policy files' manual. */
  readonly doc: string;
  /** Key of a `[Device …]` section that says it; absent where policy says it in another way, or not at all. */
  readonly policyKey?: string;
  /** Other words that people try for that key, for suggestions. */
  readonly aliases?: readonly string[];
  /** Whether policy may say it for each macroblock (16 × 16 pixels) of the image. */
  readonly perMacroblock?: true;
  /** Whether policy may say it of the pitches alone that exceed a size. */
  readonly byPitch?: true;
  /** Whether no, said of a device, is a limit as well: the device does not take it. */
  readonly noForbids?: true;
}

/** How the value travels: `u` 32-bit and `t` 64-bit unsigned, `b` boolean, of which `false` asks for nothing. */
type Value =
  | {
      readonly type: 'u';
      readonly unit: 'bytes' | 'pixels' | 'rows' | 'bits' | 'buffers';
      /** The least that a client may say; 1 when absent. */
      readonly least?: 0;
      /** The most; what the type holds when absent. */
      readonly most?: number;
    }
  | { readonly type: 't'; readonly unit: 'bytes' }
  | { readonly type: 'b' };

/** By the key of a device's entry in a request; a constraint of an answer has the same name. */
export const LIMIT_TABLE = {
  'pitch-multiple': {
    type: 'u',
    unit: 'bytes',
    part: 'layout',
    imageOnly: true,
    doc: 'every pitch is a multiple of this',
    policyKey: 'PitchMultiple',
    aliases: ['PitchAlign', 'PitchAlignment', 'StrideAlign', 'StrideAlignment', 'StrideMultiple'],
    byPitch: true,
  },
  'width-multiple': {
    type: 'u',
    unit: 'pixels',
    part: 'layout',
    imageOnly: true,
    doc: 'every pitch holds a multiple of this many pixels of the format',
    policyKey: 'WidthMultiple',
    aliases: ['WidthAlign', 'WidthAlignment', 'PixelMultiple'],
  },
  'pitch-exact': {
    type: 'u',
    unit: 'bytes',
    part: 'layout',
    imageOnly: true,
    doc: 'every pitch is exactly the bytes of a row, rounded up to a multiple of this',
    policyKey: 'PitchExact',
    aliases: ['StrideExact'],
  },
  'pitch-linked': {
    type: 'b',
    part: 'layout',
    imageOnly: true,
    doc: "the pitches of the other planes follow the first plane's by the format's ratio",
    policyKey: 'PitchLinked',
    aliases: ['LinkedPitch'],
  },
  'pitch-min': {
    type: 'u',
    unit: 'bytes',
    least: 0,
    part: 'layout',
    imageOnly: true,
    doc: 'the smallest pitch',
    policyKey: 'PitchMin',
    aliases: ['MinPitch', 'MinStride'],
  },
  'pitch-max': {
    type: 'u',
    unit: 'bytes',
    part: 'layout',
    imageOnly: true,
    doc: 'the largest pitch',
    policyKey: 'PitchMax',
    aliases: ['MaxPitch', 'MaxStride'],
  },
  'offset-multiple': {
    type: 'u',
    unit: 'bytes',
    part: 'layout',
    imageOnly: true,
    doc: 'the offset of every plane is a multiple of this',
    policyKey: 'OffsetMultiple',
    aliases: ['OffsetAlign', 'OffsetAlignment'],
  },
  'planes-contiguous': {
    type: 'b',
    part: 'layout',
    imageOnly: true,
    doc: 'every plane begins where the one before it ends',
    policyKey: 'PlanesContiguous',
    aliases: ['ContiguousPlanes'],
  },
  'planes-apart': {
    type: 'b',
    part: 'layout',
    imageOnly: true,
    doc: 'every plane has a descriptor of its own',
    policyKey: 'PlanesApart',
    aliases: ['SeparatePlanes', 'MultiPlanar', 'Disjoint'],
    noForbids: true,
  },
  'height-multiple': {
    type: 'u',
    unit: 'rows',
    part: 'layout',
    imageOnly: true,
    doc: 'the rows of the image are rounded up to a multiple of this before the rows of a subsampled plane are derived from them',
    policyKey: 'HeightMultiple',
    aliases: ['HeightAlign', 'HeightAlignment'],
  },
  'size-multiple': {
    type: 't',
    unit: 'bytes',
    part: 'layout',
    imageOnly: false,
    doc: 'the size of the buffer is a multiple of this',
    policyKey: 'SizeMultiple',
    aliases: ['SizeAlign', 'SizeAlignment'],
  },
  'size-min': {
    type: 't',
    unit: 'bytes',
    part: 'layout',
    imageOnly: false,
    doc: 'the smallest size of the buffer',
    policyKey: 'SizeMin',
    aliases: ['MinSize', 'SizeImage'],
  },
  'size-extra': {
    type: 't',
    unit: 'bytes',
    part: 'layout',
    imageOnly: false,
    doc: 'bytes of the buffer after the last plane, or after the requested size',
    policyKey: 'SizeExtra',
    aliases: ['ExtraSize', 'Extra', 'Padding', 'SizePadding'],
    perMacroblock: true,
  },
  'max-width': {
    type: 'u',
    unit: 'pixels',
    part: 'layout',
    imageOnly: true,
    doc: 'the widest image',
    policyKey: 'MaxWidth',
    aliases: ['WidthMax'],
  },
  'max-height': {
    type: 'u',
    unit: 'pixels',
    part: 'layout',
    imageOnly: true,
    doc: 'the tallest image',
    policyKey: 'MaxHeight',
    aliases: ['HeightMax'],
  },
  // Policy says it with a word more, which depends on the IOMMU.
  contiguous: {
    type: 'b',
    part: 'memory',
    imageOnly: false,
    doc: 'the device needs physically contiguous memory',
  },
  protected: {
    type: 'b',
    part: 'memory',
    imageOnly: false,
    doc: 'the device takes protected memory only',
    policyKey: 'Protected',
    aliases: ['Secure'],
  },
  'address-bits': {
    type: 'u',
    unit: 'bits',
    most: 64,
    part: 'memory',
    imageOnly: false,
    doc: 'the device reaches only addresses of this many bits',
    policyKey: 'AddressBits',
    aliases: ['DmaBits', 'DmaMask'],
  },
  'min-buffers': {
    type: 'u',
    unit: 'buffers',
    least: 0,
    part: 'count',
    imageOnly: false,
    doc: 'buffers that the device holds at once; the numbers of all devices are added',
    policyKey: 'MinBuffers',
    aliases: ['Buffers', 'BufferCount'],
  },
} as const satisfies Readonly<Record<string, Row & Value>>;

type Table = typeof LIMIT_TABLE;
export type Limit = keyof Table;
type Type = Value['type'];

/** The limits whose value is of one type. */
export type LimitOf<T extends Type> = { [K in Limit]: Table[K]['type'] extends T ? K : never }[Limit];

/** The limits that policy has a key for. */
export type PolicyLimit = {
  [K in Limit]: Table[K] extends { readonly policyKey: string } ? K : never;
}[Limit];

/** What a value of each type is. */
interface Values {
  u: number;
  t: bigint;
  b: boolean;
}

/** What each limit says, in the unit of its row. */
export type LimitValues = { [K in Limit]: Values[Table[K]['type']] };

/** All limits, in the order of the table. */
export const ALL_LIMITS = Object.keys(LIMIT_TABLE) as readonly Limit[];

/** A row, whatever limit it is of. */
export const limitRow = (limit: Limit): Row & Value => LIMIT_TABLE[limit];

export const isLimit = (name: string): name is Limit => Object.hasOwn(LIMIT_TABLE, name);

/** Whether a limit's value is of this type. */
export const isLimitOf = <T extends Type>(type: T, limit: Limit): limit is Limit & LimitOf<T> =>
  LIMIT_TABLE[limit].type === type;

/** All limits whose value is of one type. */
export const limitsOf = <T extends Type>(type: T): readonly (Limit & LimitOf<T>)[] =>
  ALL_LIMITS.filter((limit) => isLimitOf(type, limit));

/** The largest number of 32 bits. */
export const WIDEST = 0xffff_ffff;

/** The least and the most that a client may say, both included. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
}

export function boundsOf(limit: LimitOf<'u'>): Bounds {
  const { least = 1, most = WIDEST }: { readonly type: 'u' } & Partial<Bounds> = LIMIT_TABLE[limit];
  return { least, most };
}

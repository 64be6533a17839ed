import { MEMORY_CLASSES } from '../../dbus/names.js';
import { ALL_LIMITS, limitRow, LIMIT_TABLE, type Limit, type PolicyLimit } from '../../dbus/limits.js';
import { access } from './access-list.js';
import type { SizeExpression } from './size-expression.js';
import { timeSpan } from './time-span.js';
import {
  anyCount,
  machineSize,
  oneOf,
  poolSize,
  wholeNumber,
  yesNoOr,
  yesOrNo,
  type ValueType,
  bytes32,
  bytes64,
  count,
  perMacroblock,
  percentage,
} from './value-types.js';
import type { RuleLimit } from './policy.js';

/** A key of the policy files. */
export interface Key<T> {
  readonly type: ValueType<T>;
  /** What holds where no file says anything; absent where that is "nothing". */
  readonly builtIn?: T;
  /** One sentence for the man page. */
  readonly doc: string;
  /** Other words that people try for it, for suggestions. */
  readonly aliases?: readonly string[];
  /** For a limit that may be qualified, `Key[uses:formats]`. */
  readonly limit?: LimitReader;
  /** Whether it may be qualified by a plane's pitch, `Key[pitch>bytes]`. */
  readonly byPitch?: true;
  /** Whether it may be qualified by uses alone, `Key[uses]`. */
  readonly byUse?: true;
}

export const SECTIONS = ['Broker', 'Pool', 'Quota', 'Device', 'Heap'] as const;
export type SectionName = (typeof SECTIONS)[number];

const MIB = 2n ** 20n;
const channels = (builtIn: number, doc: string) => ({ type: anyCount, builtIn, doc }) satisfies Key<number>;
const share = (of: 'ram' | 'heap', percent: bigint): SizeExpression => ({
  kind: 'share',
  of,
  millionths: percent * 1_000_000n,
});

export const BROKER_KEYS = {
  MaxBuffer: {
    type: machineSize,
    builtIn: { kind: 'min', terms: [share('ram', 25n), { kind: 'bytes', bytes: 1024n * MIB }] },
    doc: 'The largest size of one buffer.',
    aliases: ['MaxBufferSize', 'BufferMax', 'MaxSize'],
  },
  PlainOnSystemBus: {
    type: yesOrNo,
    builtIn: false,
    doc: 'Whether plain memory, which no device can import, may be handed out on the system bus.',
    aliases: ['AllowPlain', 'Plain'],
  },
  DisplayFrames: {
    type: wholeNumber(0, 1000),
    builtIn: 3,
    doc: 'The number of images of every connected display that should fit into memory.',
    aliases: ['Displays', 'FramesPerDisplay'],
  },
  CameraFrames: {
    type: wholeNumber(0, 1000),
    builtIn: 4,
    doc: 'The number of images of every camera that should fit into memory.',
    aliases: ['Cameras', 'FramesPerCamera'],
  },
} as const satisfies Record<string, Key<unknown>>;

export const POOL_KEYS = {
  Limit: {
    type: poolSize,
    builtIn: { kind: 'min', terms: [share('heap', 80n), share('ram', 5n)] },
    doc: 'The largest amount of memory of this class that clients may hold.',
    aliases: ['MaxSize', 'Size', 'Max', 'Budget'],
  },
  Share: {
    type: percentage,
    builtIn: 50,
    doc: 'The part of the limit that one user may hold, so that it leaves some to others; administrators may hold all of it.',
    aliases: ['UserShare', 'PerUser', 'MaxShare'],
  },
  Warm: {
    type: poolSize,
    builtIn: { kind: 'min', terms: [share('ram', 2n), share('heap', 25n)] },
    doc: 'The largest amount of memory that is kept ready for the next request.',
    aliases: ['Stock', 'WarmStock', 'Cache', 'Ready'],
  },
  Idle: {
    type: timeSpan,
    builtIn: 60_000,
    doc: 'How long unused memory is kept ready.',
    aliases: ['IdleSec', 'IdleTime', 'Timeout', 'KeepFor'],
  },
  Access: {
    type: access,
    builtIn: [{ kind: 'users' }],
    doc: 'Which users may allocate memory of this class; administrators always may.',
    aliases: ['AllowedUsers', 'Users', 'Who'],
  },
} as const satisfies Record<string, Key<unknown>>;

/**
 * What one user, one connection and one systemd unit may hold at once. The numbers are finite so that none takes all:
 * a fifth of RAM is most of what the shipped pools hold together.
 */
export const QUOTA_KEYS = {
  Bytes: {
    type: machineSize,
    builtIn: share('ram', 20n),
    doc: 'The largest amount of memory that one user may hold.',
    aliases: ['UserBytes', 'MaxBytes', 'Limit', 'Memory'],
  },
  Buffers: {
    type: anyCount,
    builtIn: 1024,
    doc: 'The largest number of buffers that one user may hold.',
    aliases: ['UserBuffers', 'MaxBuffers', 'Count'],
  },
  ClientBytes: {
    type: machineSize,
    builtIn: share('ram', 20n),
    doc: 'The largest amount of memory that one connection to the bus may hold.',
    aliases: ['ConnectionBytes', 'ProcessBytes'],
  },
  ClientBuffers: {
    type: anyCount,
    builtIn: 256,
    doc: 'The largest number of buffers that one connection to the bus may hold.',
    aliases: ['ConnectionBuffers', 'ProcessBuffers'],
  },
  UnitBytes: {
    type: machineSize,
    builtIn: share('ram', 20n),
    doc: 'The largest amount of memory that one systemd unit of a user may hold.',
    aliases: ['ServiceBytes'],
  },
  UnitBuffers: {
    type: anyCount,
    builtIn: 512,
    doc: 'The largest number of buffers that one systemd unit of a user may hold.',
    aliases: ['ServiceBuffers'],
  },
  Channels: channels(64, 'The largest number of channels that one user may have open.'),
  ClientChannels: channels(4, 'The largest number of channels that one connection to the bus may have open.'),
  Rate: {
    type: anyCount,
    builtIn: 1000,
    doc: 'The number of requests per second that one user may make over time.',
    aliases: ['RequestRate', 'RateLimit', 'RequestsPerSecond'],
  },
  Burst: {
    type: anyCount,
    builtIn: 4000,
    doc: 'The number of requests that one user may make in a burst.',
    aliases: ['RequestBurst', 'RateBurst', 'RateLimitBurst'],
  },
} as const satisfies Record<string, Key<unknown>>;

/** What a limit holds for, and where it stands. */
type LimitScope = Pick<RuleLimit, 'source' | 'uses' | 'above' | 'formats'>;

/** Makes a limit of a valid value; none of a `no` that asks for nothing. */
type LimitReader = (text: string, scope: LimitScope) => RuleLimit | undefined;

/** A key of `[Device …]` that is a limit. */
interface LimitKey {
  readonly type: ValueType<unknown>;
  readonly doc: string;
  readonly aliases: readonly string[];
  readonly byPitch?: true;
  readonly limit: LimitReader;
}

/** The keys of `[Device …]` that are limits of a participant, in the order of the table of limits. */
const DEVICE_LIMITS: Readonly<Record<string, LimitKey>> = Object.fromEntries(
  ALL_LIMITS.filter(isOfPolicy).map((limit) => [LIMIT_TABLE[limit].policyKey, limitKey(limit)]),
);

function isOfPolicy(limit: Limit): limit is PolicyLimit {
  return limitRow(limit).policyKey !== undefined;
}

function limitKey(limit: PolicyLimit): LimitKey {
  const { doc, aliases } = LIMIT_TABLE[limit];
  const common = {
    doc: `${doc.charAt(0).toUpperCase()}${doc.slice(1)}.`,
    aliases,
    ...(limitRow(limit).byPitch && { byPitch: true as const }),
  };
  const type = valueType(limit);
  if (limitRow(limit).perMacroblock !== true) {
    return { ...common, type, limit: (text, scope) => ruleLimit(limit, read(type, text), scope) };
  }
  const scaled = perMacroblock(type);
  return {
    ...common,
    type: scaled,
    limit: (text, scope) => {
      const { value, ...per } = read(scaled, text) ?? {};
      return ruleLimit(limit, value, { ...scope, ...per });
    },
  };
}

const read = <T>(type: ValueType<T>, text: string): T | undefined => {
  const parsed = type.parse(text);
  return parsed.ok ? parsed.value : undefined;
};

const ruleLimit = (limit: PolicyLimit, value: unknown, scope: LimitScope): RuleLimit | undefined =>
  value === undefined || (value === false && limitRow(limit).noForbids !== true)
    ? undefined
    : ({ limit, value, ...scope } as RuleLimit);

function valueType(limit: PolicyLimit): ValueType<unknown> {
  const row = limitRow(limit);
  if (row.type === 'b') return yesOrNo;
  if (row.type === 't') return bytes64;
  if (row.most !== undefined) return wholeNumber(1, row.most);
  return row.unit === 'bytes' ? bytes32 : count;
}

export const DEVICE_KEYS = {
  ...DEVICE_LIMITS,
  Contiguous: {
    type: oneOf(['yes', 'no', 'without-iommu']),
    doc: 'Whether the device needs physically contiguous memory: always, never, or unless an IOMMU translates for it.',
  },
  ForeignImports: {
    type: yesNoOr('tried'),
    doc: 'Whether the driver imports buffers that another driver made.',
    aliases: ['Import', 'Imports', 'ForeignImport'],
    byUse: true,
  },
  TryImport: {
    type: yesOrNo,
    doc: 'Whether a V4L2 device is given buffers at the start, to see which memory it takes.',
    aliases: ['Try', 'TrialImport', 'Probe'],
  },
} as const satisfies Record<string, Key<unknown>>;

export const HEAP_KEYS = {
  Use: {
    type: yesOrNo,
    doc: 'Whether the broker takes memory from the heap at all.',
    aliases: ['Enable', 'Enabled', 'Allow'],
  },
  Class: {
    type: oneOf(MEMORY_CLASSES),
    doc: 'What the memory of the heap is like.',
    aliases: ['Kind', 'Type'],
  },
  Contiguous: {
    type: oneOf(['yes', 'no', 'without-iommu']),
    doc: 'Whether every buffer of the heap is physically in one piece, whatever its class.',
    aliases: ['OnePiece'],
  },
  AddressBits: {
    type: wholeNumber(1, 64),
    doc: 'The memory of the heap lies below this power of two.',
    aliases: ['DmaBits', 'Bits'],
  },
  Geometry: {
    type: yesOrNo,
    doc: 'Whether the driver keeps width and height of a buffer, so that it must be made as the picture.',
    aliases: ['Picture', 'Shape'],
  },
  Order: {
    type: wholeNumber(-1000, 1000),
    doc: 'Among heaps of one class, the smaller is tried first.',
    aliases: ['Priority', 'Preference'],
  },
} as const satisfies Record<string, Key<unknown>>;

/** The whole table: every key of every section. The parser, its suggestions and the man page's test come from it. */
export const KEYS: Readonly<Record<SectionName, Readonly<Record<string, Key<unknown>>>>> = {
  Broker: BROKER_KEYS,
  Pool: POOL_KEYS,
  Quota: QUOTA_KEYS,
  Device: DEVICE_KEYS,
  Heap: HEAP_KEYS,
};

/** Finds a key by its name, spelled exactly. */
export const keyOf = (section: SectionName, name: string): Key<unknown> | undefined =>
  Object.hasOwn(KEYS[section], name) ? KEYS[section][name] : undefined;

import { MEMORY_CLASSES } from '../../dbus/names.js';
import { DEVICE_LIMITS } from './device-limits.js';
import type { LimitReader } from './device-limits.js';
import type { SizeExpression } from './size-expression.js';
import { machineSize, oneOf, poolSize, wholeNumber, yesOrNo } from './value-types.js';
import type { ValueType } from './value-types.js';

/** A key of the policy files. */
export interface Key<T> {
  readonly type: ValueType<T>;
  /** What holds where no file says anything; absent where that is "nothing". */
  readonly builtIn?: T;
  /** One sentence for the man page. */
  readonly doc: string;
  /** Other words that people try for it, for suggestions. */
  readonly aliases?: readonly string[];
  /** Of a limit that may be qualified, `Key[uses:formats]`. */
  readonly limit?: LimitReader;
}

export const SECTIONS = ['Broker', 'Pool', 'Device', 'Heap'] as const;
export type SectionName = (typeof SECTIONS)[number];

const MIB = 2n ** 20n;
const share = (of: 'ram' | 'heap', percent: bigint): SizeExpression => ({
  kind: 'share',
  of,
  millionths: percent * 1_000_000n,
});

export const BROKER_KEYS = {
  MaxBuffer: {
    type: machineSize,
    builtIn: { kind: 'min', terms: [share('ram', 25n), { kind: 'bytes', bytes: 1024n * MIB }] },
    doc: 'The most that one buffer may have.',
    aliases: ['MaxBufferSize', 'BufferMax', 'MaxSize'],
  },
  PlainOnSystemBus: {
    type: yesOrNo,
    builtIn: false,
    doc: 'Whether plain memory, which no device can import, may be handed out on the system bus.',
    aliases: ['AllowPlain', 'Plain'],
  },
} as const satisfies Record<string, Key<unknown>>;

export const POOL_KEYS = {
  Limit: {
    type: poolSize,
    builtIn: { kind: 'min', terms: [share('heap', 80n), share('ram', 5n)] },
    doc: 'The most memory of this class that may be handed out at once.',
    aliases: ['MaxSize', 'Size', 'Max', 'Budget'],
  },
} as const satisfies Record<string, Key<unknown>>;

export const DEVICE_KEYS = {
  ...DEVICE_LIMITS,
  Contiguous: {
    type: oneOf(['yes', 'no', 'without-iommu']),
    doc: 'Whether the device needs physically contiguous memory: always, never, or unless an IOMMU translates for it.',
  },
  ForeignImports: {
    type: yesOrNo,
    doc: 'Whether the driver imports buffers that another driver made.',
    aliases: ['Import', 'Imports', 'ForeignImport'],
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
  AddressBits: {
    type: wholeNumber(1, 64),
    doc: 'The memory of the heap lies below this power of two.',
    aliases: ['DmaBits', 'Bits'],
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
  Device: DEVICE_KEYS,
  Heap: HEAP_KEYS,
};

/** Finds a key by its name, spelled exactly. */
export const keyOf = (section: SectionName, name: string): Key<unknown> | undefined =>
  Object.hasOwn(KEYS[section], name) ? KEYS[section][name] : undefined;

import type { LimitValues, PolicyLimit } from '../../dbus/limits.js';
import type { MemoryClass, Use } from '../../dbus/names.js';
import type { PolicyProblem } from './problem.js';
import type { Above } from './qualifier.js';

/** A value with the place that it was read from: `policy:FILE:LINE`. */
export interface PolicyValue<T> {
  readonly value: T;
  readonly source: string;
}

/** How rules know a device. The inventory's devices have these fields. */
export interface RuleSubject {
  readonly driver: string;
  readonly compatible: readonly string[];
  readonly pci?: string;
  readonly number: string;
}

/** One limit of a `[Device …]` section. A `no` that asks for nothing is not among them. */
export type RuleLimit = {
  [K in PolicyLimit]: {
    readonly limit: K;
    readonly value: LimitValues[K];
    readonly source: string;
    /** The value counts for each macroblock (16 × 16 pixels) of the image (`SizeExtra=128 per macroblock`). */
    readonly per?: 'macroblock';
    /** Only for these uses (`PitchMultiple[capture,decode]=…`); for all of them when absent. */
    readonly uses?: readonly Use[];
    /** Only where the image, or one of its pitches, exceeds these sizes (`PitchMultiple[pitch>32768]=…`). */
    readonly above?: Above;
    /** Only for these fourccs, trailing spaces kept (`R8  `). */
    readonly formats?: readonly string[];
  };
}[PolicyLimit];

/**
 * Whether a driver imports buffers that another driver made; `tried`: only of memory of which a trial showed it.
 */
export type ForeignImports = boolean | 'tried';

/** What the rules say of one device: the last word of each key wins, drop-in order. */
export interface DeviceRules {
  readonly limits: readonly RuleLimit[];
  /** `without-iommu`: contiguous memory unless an IOMMU translates for the device. */
  readonly contiguous?: PolicyValue<'yes' | 'no' | 'without-iommu'>;
  readonly foreignImports?: PolicyValue<ForeignImports>;
  /** The same of certain uses (`ForeignImports[scanout]=…`), which counts more than what is said of all. */
  readonly foreignImportsFor?: readonly (PolicyValue<ForeignImports> & { readonly uses: readonly Use[] })[];
  /** Whether a V4L2 device may be tried with real buffers, which wakes it and takes its queues for a moment. */
  readonly tryImport?: PolicyValue<boolean>;
  /** False when no section matched: the driver is unknown and the person is told. */
  readonly known: boolean;
}

export interface HeapSubject {
  readonly kind: string;
  readonly name: string;
}

export interface HeapRules {
  readonly use?: PolicyValue<boolean>;
  readonly class?: PolicyValue<MemoryClass>;
  /** `without-iommu`: in one piece unless an IOMMU translates for the device whose driver makes the buffers. */
  readonly contiguous?: PolicyValue<'yes' | 'no' | 'without-iommu'>;
  readonly addressBits?: PolicyValue<number>;
  /** Whether its driver keeps width and height of what it makes, which have to be the picture's. */
  readonly geometry?: PolicyValue<boolean>;
  /** Smaller is tried first among heaps of one class. */
  readonly order?: PolicyValue<number>;
}

/** What sizes are reckoned from. Bytes and pixels. */
export interface SizeContext {
  readonly ram: bigint;
  /** Capacity of the heap behind the pool, where it has one. */
  readonly heap?: bigint;
  /** The largest connected display's mode; 1920 × 1080 where there is none. */
  readonly frame: { readonly width: number; readonly height: number };
}

/** Who may take memory from a pool, besides administrators, who always may. */
export type Access =
  /** Every user that may talk to the broker at all. */
  | { readonly kind: 'users' }
  /** Users with an active session: a person at the machine. */
  | { readonly kind: 'active-session' }
  | { readonly kind: 'group'; readonly name: string }
  /** Administrators only. */
  | { readonly kind: 'administrator' };

export interface PoolRules {
  /** Bytes of this class that may live at once, the ones that are kept ready among them. */
  readonly limit: PolicyValue<bigint>;
  /** Hundredths of the limit that one user may hold. */
  readonly share: PolicyValue<number>;
  /** Bytes that may be kept ready. */
  readonly warm: PolicyValue<bigint>;
  /** Milliseconds that a buffer is kept ready without being asked for; `Infinity` for always. */
  readonly idle: PolicyValue<number>;
  /** A user that one of them lets in may take from the pool; an administrator always may. */
  readonly access: PolicyValue<readonly Access[]>;
}

/** How many pictures there should be memory for, whatever is asked for in the end. */
export interface FrameWishes {
  /** Buffers for every connected display. */
  readonly display: PolicyValue<number>;
  /** Buffers for every camera. */
  readonly camera: PolicyValue<number>;
}

/** A line that holds, or what is built in. */
export interface EffectiveSetting {
  /** `[Broker]`, `[Pool contiguous]`, `[Quota]`, `[Quota user:anna]`. */
  readonly heading: string;
  readonly key: string;
  /** The value as it is written. */
  readonly text: string;
  readonly source: string;
}

/** Whose quotas are asked for. */
export interface QuotaSubject {
  readonly uid: number;
  /** Its name, where the machine has one for it. */
  readonly user?: string;
  /** Names of the groups that it is in. */
  readonly groups: readonly string[];
  /** The systemd unit that the client runs in, where that is known. */
  readonly unit?: string;
}

/** What one caller may hold, and how fast it may ask. */
export interface QuotaRules {
  /** Bytes and buffers of all that the user holds. */
  readonly bytes: PolicyValue<bigint>;
  readonly buffers: PolicyValue<number>;
  /** Limits of one connection. */
  readonly clientBytes: PolicyValue<bigint>;
  readonly clientBuffers: PolicyValue<number>;
  /** Limits of all connections from one systemd unit. */
  readonly unitBytes: PolicyValue<bigint>;
  readonly unitBuffers: PolicyValue<number>;
  /** Channels that the user, and one connection, may have open. */
  readonly channels: PolicyValue<number>;
  readonly clientChannels: PolicyValue<number>;
  /** Requests a second that the user may make for long. */
  readonly rate: PolicyValue<number>;
  /** Requests that the user may make at once. */
  readonly burst: PolicyValue<number>;
}

/** The policy as read: every value keeps its file and line. Immutable; a reload makes a new one. */
export interface Policy {
  /** Files that were read, in the order in which they count (`PolicyFiles`). */
  readonly files: readonly string[];
  /** What is wrong with them. */
  readonly problems: readonly PolicyProblem[];
  /** The same for a person, each with file, line and column. */
  readonly warnings: readonly string[];
  /** Bytes that one buffer may have. */
  maxBuffer(context: SizeContext): PolicyValue<bigint>;
  /** Whether `plain` memory may be handed out on the system bus. */
  plainOnSystemBus(): PolicyValue<boolean>;
  /** Pictures that there should be memory for; what is missing is reported. */
  frames(): FrameWishes;
  pool(memoryClass: MemoryClass, context: SizeContext): PoolRules;
  /** The last word for each key of all sections that fit the subject, drop-in order. */
  quota(subject: QuotaSubject, context: SizeContext): QuotaRules;
  /** What holds of the broker, its pools and its quotas, as it is written; for people. */
  effectiveSettings(): readonly EffectiveSetting[];
  device(subject: RuleSubject): DeviceRules;
  heap(subject: HeapSubject): HeapRules;
}

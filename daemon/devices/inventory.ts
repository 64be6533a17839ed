import type { Limit, LimitValues } from '../../dbus/limits.js';
import type { CpuAccess, MemoryClass, Use } from '../../dbus/names.js';

/**
 * What is known of this machine: facts in, inventory out. An inventory is a value; the live reader and the hardware
 * profile make the same one. Every fact says where it comes from: `kernel:…`, `trial:…` or `policy:FILE:LINE`.
 */
export interface Fact<T> {
  readonly value: T;
  readonly source: string;
}

/** The pseudo-device for programs that map the buffer. */
export const CPU = 'cpu';

export type Subsystem = 'cpu' | 'drm' | 'video4linux';

/** A format that a device takes for some uses. */
export interface FormatFact {
  /** Fourcc with its trailing spaces (`R8  `). */
  readonly format: string;
  readonly modifiers: readonly bigint[];
  readonly uses: readonly Use[];
  readonly source: string;
}

/** A format without a name here (compressed, big-endian): it stands for a use, and no image of the contract is of it. */
export interface OtherFormatFact {
  /** The subsystem's own name for it: `MJPG`. */
  readonly name: string;
  readonly uses: readonly Use[];
  readonly source: string;
}

/** A limit that a device itself brings. */
export type LimitFact = {
  [K in Limit]: {
    readonly limit: K;
    readonly value: LimitValues[K];
    readonly source: string;
    /** Only for these uses; for all of them when absent. */
    readonly uses?: readonly Use[];
    /** Only for these formats (fourccs with trailing spaces); for all of them, and for memory with no image, when absent. */
    readonly formats?: readonly string[];
    /** For `planes-contiguous`: planes that have descriptors of their own will do as well. */
    readonly orApart?: true;
  };
}[Limit];

/** A display mode. */
export interface Mode {
  readonly connector: string;
  readonly width: number;
  readonly height: number;
  /** Frames a second. */
  readonly refresh: number;
  readonly preferred: boolean;
  /** The mode that the display shows now. */
  readonly current: boolean;
}

/** The largest picture of a camera, as it lies in memory. Pixels. */
export interface PictureFact {
  /** For a person: `imx477 10-001a`. */
  readonly camera: string;
  readonly width: number;
  readonly height: number;
  /** For a person: `packed 10-bit Bayer`, `YUYV`. */
  readonly format: string;
  /** Bits that a pixel takes. */
  readonly bits: number;
  readonly source: string;
}

/** How policy's rules and the reach map know a device. */
export interface DeviceIdentity {
  readonly driver: string;
  /** Device-tree `compatible` strings, most specific first. */
  readonly compatible: readonly string[];
  /** `vvvv:dddd` in lower-case hexadecimal. */
  readonly pci?: string;
  /** `major:minor` of the main node. */
  readonly number: string;
}

export interface Device extends DeviceIdentity {
  /** Main node (`/dev/dri/card0`, `/dev/video0`) without the root prefix, or `cpu`. Unique; the inventory's key. */
  readonly node: string;
  readonly otherNodes: readonly string[];
  readonly otherNumbers: readonly string[];
  readonly subsystem: Subsystem;
  /** A name for a person. */
  readonly name: string;
  readonly uses: readonly Use[];
  /** What it takes for each use. A use that neither list of formats names is one whose formats are not published. */
  readonly formats: readonly FormatFact[];
  readonly otherFormats?: readonly OtherFormatFact[];
  readonly limits: readonly LimitFact[];
  readonly modes: readonly Mode[];
  /** One for each camera whose pictures come out of the device. */
  readonly pictures?: readonly PictureFact[];
  /** Bits of DMA address (sysfs `dma_mask_bits`). */
  readonly dmaMaskBits?: Fact<number>;
  /** Type of its IOMMU group: `DMA`, `DMA-FQ`, `identity`, `blocked`, or `none` when it has no group. */
  readonly iommu: Fact<string>;
  /** Name of the reserved-memory node that its device-tree `memory-region` points to. */
  readonly memoryRegion?: Fact<string>;
  /** Whether the driver imports foreign dma-bufs at all (DRM_CAP_PRIME; V4L2 unknown until tried). */
  readonly imports?: Fact<boolean>;
}

export const HEAP_KINDS = ['dma-heap', 'udmabuf', 'drm-dumb', 'memfd'] as const;
export type HeapKind = (typeof HEAP_KINDS)[number];

/**
 * What a former holder of a buffer can keep of it once no reference to its dma-buf is left: `nothing`, as a probe proved;
 * memory whose end is `visible`, because the kernel tells it; or what is `unknown`.
 */
export const RETENTIONS = ['nothing', 'visible', 'unknown'] as const;
export type Retention = (typeof RETENTIONS)[number];

/** A kernel source of memory. Internal: no client learns of it but through `Reveal`. */
export interface HeapFacts {
  /** Unique; `dma-heap:system`, `udmabuf`, `drm-dumb:/dev/dri/card0`, `memfd`. */
  readonly id: string;
  readonly kind: HeapKind;
  /** The kernel's name for it. */
  readonly name: string;
  /** Node without the root prefix; absent for memfd. */
  readonly node?: string;
  readonly class: Fact<MemoryClass>;
  /** Whether every buffer is physically in one piece; absent where the class says it (`contiguous`, or not). */
  readonly contiguous?: Fact<boolean>;
  readonly cpuAccess: CpuAccess;
  /** Its memory lies below 2^value, where the kernel or a rule says so; otherwise it reaches as high as RAM does. */
  readonly addressBits?: Fact<number>;
  /** Bytes that it can hand out in all, where it has a size of its own (CMA). */
  readonly capacity?: Fact<bigint>;
  /** Bytes that one buffer can have (udmabuf's size_limit_mb). */
  readonly maxBuffer?: Fact<bigint>;
  /** Absent means unknown. */
  readonly retention?: Fact<Retention>;
  /** Whether the daemon may open it; when not, why. */
  readonly usable: boolean;
  readonly unusable?: string;
}

/** What a trial import showed of one device and one heap; there may be one for what works and more for what does not. */
export interface ReachFact {
  /** Device node. */
  readonly device: string;
  /** Heap id. */
  readonly heap: string;
  readonly reachable: boolean;
  /** `trial:PRIME_FD_TO_HANDLE` or, of a refusal, `trial:PRIME_FD_TO_HANDLE:ENODEV`. */
  readonly source: string;
  /** For a refusal: the uses it holds for, as with a GPU that imports what it cannot show; all when absent. */
  readonly uses?: readonly Use[];
}

export interface Machine {
  /** For a person: product or board name. */
  readonly name: string;
  readonly architecture: string;
  readonly kernel: string;
  /** Device-tree `compatible` of the board; empty elsewhere. */
  readonly compatible: readonly string[];
  /** Bytes of RAM that the kernel manages. */
  readonly ram: Fact<bigint>;
  /** First physical address above RAM; decides how many address bits a heap needs. */
  readonly ramTop: Fact<bigint>;
  /** First physical address above the zones that have CMA memory; absent without CMA, or where the kernel does not tell. */
  readonly cmaTop?: Fact<bigint>;
  /** File in which this system takes the kernel's command line, without the root prefix; absent where it is not known. */
  readonly commandLine?: string;
}

export interface Inventory {
  readonly machine: Machine;
  /** `cpu` is always among them. */
  readonly devices: readonly Device[];
  readonly heaps: readonly HeapFacts[];
  readonly reach: readonly ReachFact[];
  /** What could not be read, each with the name of the file. */
  readonly warnings: readonly string[];
}

/** Finds a device by any name that the contract gives it: node, other node, `major:minor`, `cpu`. */
export function findDevice(inventory: Inventory, name: string): Device | undefined {
  return inventory.devices.find(
    (device) =>
      device.node === name ||
      device.otherNodes.includes(name) ||
      (device.subsystem !== 'cpu' && (device.number === name || device.otherNumbers.includes(name))),
  );
}

/** The pseudo-device for programs that map the buffer; the same on every machine. */
export const CPU_DEVICE: Device = {
  node: CPU,
  otherNodes: [],
  number: '',
  otherNumbers: [],
  subsystem: 'cpu',
  driver: '',
  compatible: [],
  name: 'programs that map the buffer',
  uses: ['read', 'write'],
  formats: [],
  limits: [],
  modes: [],
  iommu: { value: 'none', source: 'kernel:mmap' },
};

/** Plain memory; the same on every machine. */
export const MEMFD_HEAP: HeapFacts = {
  id: 'memfd',
  kind: 'memfd',
  name: 'memfd',
  class: { value: 'plain', source: 'kernel:memfd' },
  cpuAccess: 'cached',
  usable: true,
};

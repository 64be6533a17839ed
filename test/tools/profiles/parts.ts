import {
  type Device,
  type Fact,
  type FormatFact,
  type HeapFacts,
  type Inventory,
  type LimitFact,
  type Machine,
  type Mode,
  type OtherFormatFact,
  type PictureFact,
  type ReachFact,
  CPU_DEVICE,
  MEMFD_HEAP,
} from '../../../daemon/devices/inventory.js';
import type { Provenance } from '../../../daemon/devices/profile/schema.js';
import { pixelFormat } from '../../../daemon/constraints/formats.js';
import type { Use } from '../../../dbus/names.js';

export const MIB = 1024n * 1024n;
export const GIB = 1024n * MIB;

/** One machine of the fixtures, before it is written down. */
export interface Description {
  readonly inventory: Inventory;
  readonly provenance: Provenance;
}

interface MachineParts {
  /** Titles of the public documentation that it was put together from. */
  readonly from: readonly string[];
  readonly machine: Omit<Machine, 'compatible' | 'ram' | 'ramTop'> & {
    readonly compatible?: readonly string[];
  };
  /** Bytes that the kernel manages. */
  readonly ram: bigint;
  /** First address above RAM. */
  readonly ramTop: bigint;
  readonly devices: readonly Device[];
  readonly heaps: readonly HeapFacts[];
  readonly reach?: readonly ReachFact[];
}

export const describe = ({
  from,
  machine,
  ram,
  ramTop,
  devices,
  heaps,
  reach,
}: MachineParts): Description => ({
  inventory: {
    machine: {
      compatible: [],
      ...machine,
      ram: { value: ram, source: 'kernel:/proc/meminfo' },
      ramTop: { value: ramTop, source: 'kernel:/proc/zoneinfo' },
    },
    devices: [CPU_DEVICE, ...devices],
    heaps: [...heaps, MEMFD_HEAP],
    reach: reach ?? [],
    warnings: [],
  },
  provenance: { kind: 'constructed', from: [...from] },
});

/** `XR24 AR24` as codes of four characters; a code with spaces in it has them as dots. */
const codes = (formats: string): readonly string[] =>
  formats.split(/\s+/).map((format) => format.replaceAll('.', ' ').padEnd(4));

const factsOf = (
  formats: string,
  modifiers: readonly bigint[],
  uses: readonly Use[],
  source: string,
): readonly FormatFact[] => codes(formats).map((format) => ({ format, modifiers, uses, source }));

/** Formats of planes that publish modifiers. */
export const planes = (formats: string, modifiers: readonly bigint[]): readonly FormatFact[] =>
  factsOf(formats, modifiers, ['scanout'], 'kernel:IN_FORMATS');

/** Formats of planes that publish no modifiers: linear alone. */
export const plainPlanes = (formats: string): readonly FormatFact[] =>
  factsOf(formats, [0n], ['scanout'], 'kernel:MODE_GETPLANE');

/** `3840x2160@60 1920x1080@60`: the preferred mode first, which is also the one that is shown unless said otherwise. */
export const modes = (connector: string, list: string, isShown = true): readonly Mode[] =>
  list.split(/\s+/).map((text, i) => {
    const [width = 0, height = 0, refresh = 0] = text.split(/[x@]/).map(Number);
    return { connector, width, height, refresh, preferred: i === 0, current: isShown && i === 0 };
  });

/** IOMMU group types as sysfs has them. @param group number, or undefined without an IOMMU */
export const iommu = (type: 'DMA' | 'DMA-FQ' | 'identity', group: number): Fact<string> => ({
  value: type,
  source: `kernel:/sys/kernel/iommu_groups/${group}/type`,
});

interface DrmParts {
  readonly card: number;
  /** Number of the render node, 128 and up; absent for a display without a GPU. */
  readonly render?: number;
  readonly driver: string;
  readonly name: string;
  readonly compatible?: readonly string[];
  readonly pci?: string;
  readonly dmaMaskBits?: number;
  readonly iommu?: Fact<string>;
  /** Absent for a GPU without a display. */
  readonly display?: {
    readonly formats: readonly FormatFact[];
    readonly max: readonly [width: number, height: number];
    readonly modes: readonly Mode[];
  };
}

export function drm(parts: DrmParts): Device {
  const { card, render, display, driver, name, pci, dmaMaskBits } = parts;
  const sysfs = `kernel:/sys/class/drm/card${card}/device`;
  return {
    node: `/dev/dri/card${card}`,
    otherNodes: render === undefined ? [] : [`/dev/dri/renderD${render}`],
    number: `226:${card}`,
    otherNumbers: render === undefined ? [] : [`226:${render}`],
    subsystem: 'drm',
    driver,
    name,
    compatible: parts.compatible ?? [],
    ...(pci !== undefined && { pci }),
    uses: [
      ...(display ? (['scanout'] as const) : []),
      ...(render === undefined ? [] : (['render', 'texture'] as const)),
    ],
    formats: display?.formats ?? [],
    limits: display ? frameLimits(display.max) : [],
    modes: display?.modes ?? [],
    ...(dmaMaskBits !== undefined && {
      dmaMaskBits: { value: dmaMaskBits, source: `${sysfs}/dma_mask_bits` },
    }),
    iommu: parts.iommu ?? { value: 'none', source: `${sysfs}/iommu_group` },
    imports: { value: true, source: 'kernel:DRM_CAP_PRIME' },
  };
}

const frameLimits = ([width, height]: readonly [number, number]): readonly LimitFact[] => [
  { limit: 'max-width', value: width, source: 'kernel:MODE_GETRESOURCES', uses: ['scanout'] },
  { limit: 'max-height', value: height, source: 'kernel:MODE_GETRESOURCES', uses: ['scanout'] },
];

/** What one queue of a V4L2 device takes. */
export interface Queue {
  readonly use: Use;
  /** Formats of DRM and, for camera raw, of V4L2; linear. */
  readonly formats?: string;
  readonly more?: readonly FormatFact[];
  /** V4L2 formats that have no name here. */
  readonly others?: string;
  /** It holds data that go with images. */
  readonly metadata?: true;
  /** Step that TRY_FMT rounds the pitch of these formats to. */
  readonly pitch?: readonly [kind: 'pitch-multiple' | 'pitch-exact', step: number, formats: string];
  readonly max?: readonly [width: number, height: number];
}

interface VideoParts {
  readonly video: number;
  readonly driver: string;
  readonly name: string;
  readonly compatible?: readonly string[];
  readonly pci?: string;
  readonly dmaMaskBits?: number;
  readonly iommu?: Fact<string>;
  readonly memoryRegion?: string;
  readonly pictures?: readonly PictureFact[];
  readonly queues: readonly Queue[];
}

export function video(parts: VideoParts): Device {
  const { driver, name, queues, pci, dmaMaskBits, memoryRegion, pictures } = parts;
  const sysfs = `kernel:/sys/class/video4linux/video${parts.video}/device`;
  const others = queues.flatMap(otherFormats);
  return {
    node: `/dev/video${parts.video}`,
    otherNodes: [],
    number: `81:${parts.video}`,
    otherNumbers: [],
    subsystem: 'video4linux',
    driver,
    name,
    compatible: parts.compatible ?? [],
    ...(pci !== undefined && { pci }),
    uses: queues.map(({ use }) => use),
    formats: queues.flatMap(queueFormats),
    ...(others.length > 0 && { otherFormats: others }),
    limits: [
      { limit: 'pitch-linked', value: true, source: 'kernel:v4l2_pix_format' },
      ...queues.flatMap(queueLimits),
    ],
    modes: [],
    ...(dmaMaskBits !== undefined && {
      dmaMaskBits: { value: dmaMaskBits, source: `${sysfs}/dma_mask_bits` },
    }),
    iommu: parts.iommu ?? { value: 'none', source: `${sysfs}/iommu_group` },
    ...(memoryRegion !== undefined && {
      memoryRegion: { value: memoryRegion, source: `${sysfs}/of_node/memory-region` },
    }),
    ...(pictures && { pictures }),
  };
}

const queueFormats = ({ use, formats, more = [] }: Queue): readonly FormatFact[] => [
  ...(formats === undefined ? [] : factsOf(formats, [0n], [use], 'kernel:ENUM_FMT')),
  ...more,
];

/** A format whose tiles V4L2 tells apart by its code. */
export const tiled = (use: Use, format: string, modifiers: readonly bigint[]): readonly FormatFact[] =>
  factsOf(format, modifiers, [use], 'kernel:ENUM_FMT');

const otherFormats = ({ use, others, metadata }: Queue): readonly OtherFormatFact[] => [
  ...(others === undefined ? [] : codes(others)).map((name) => ({
    name,
    uses: [use],
    source: 'kernel:ENUM_FMT',
  })),
  ...(metadata ? [{ name: 'metadata', uses: [use], source: 'kernel:QUERYCAP' }] : []),
];

const hasPlanes = (format: string): boolean => (pixelFormat(format)?.planes.length ?? 1) > 1;

function queueLimits({ use, formats, pitch, max }: Queue): readonly LimitFact[] {
  const source = 'kernel:TRY_FMT';
  const limits: LimitFact[] = [];
  if (pitch !== undefined)
    limits.push({ limit: pitch[0], value: pitch[1], source, uses: [use], formats: codes(pitch[2]) });
  if (max !== undefined) {
    limits.push({ limit: 'max-width', value: max[0], source, uses: [use] });
    limits.push({ limit: 'max-height', value: max[1], source, uses: [use] });
  }
  const planar = formats === undefined ? [] : codes(formats).filter(hasPlanes);
  if (planar.length > 0)
    limits.push({
      limit: 'planes-contiguous',
      value: true,
      source: 'kernel:ENUM_FMT',
      uses: [use],
      formats: planar,
    });
  return limits;
}

/** The largest picture of a sensor. @param camera as its driver calls it */
export const sensor = (
  camera: string,
  [width, height]: readonly [number, number],
  format: string,
  bits: number,
): PictureFact => ({ camera, width, height, format, bits, source: 'kernel:SUBDEV_ENUM_FRAME_SIZE' });

/** A camera on USB: the picture, and the node of its metadata. */
export const webcam = (first: number, name: string, sizes: readonly [number, number]): readonly Device[] => [
  video({
    video: first,
    driver: 'uvcvideo',
    name,
    queues: [
      { use: 'capture', formats: 'YUYV', others: 'MJPG', pitch: ['pitch-exact', 1, 'YUYV'], max: sizes },
    ],
    pictures: [{ ...sensor(name, sizes, 'YUYV', 16), source: 'kernel:ENUM_FRAMESIZES' }],
  }),
  video({ video: first + 1, driver: 'uvcvideo', name, queues: [{ use: 'capture', metadata: true }] }),
];

export const systemHeap: HeapFacts = {
  id: 'dma-heap:system',
  kind: 'dma-heap',
  name: 'system',
  node: '/dev/dma_heap/system',
  class: { value: 'scattered', source: 'kernel:/dev/dma_heap/system' },
  cpuAccess: 'cached',
  usable: true,
};

/** @param evidence file that shows the memory to be contiguous @param below first address above it, where it is known */
export const cmaHeap = (name: string, size: bigint, evidence: string, below?: bigint): HeapFacts => ({
  id: `dma-heap:${name}`,
  kind: 'dma-heap',
  name,
  node: `/dev/dma_heap/${name}`,
  class: {
    value: 'contiguous',
    source: evidence === '/proc/meminfo' ? 'trial:CmaFree' : `kernel:${evidence}`,
  },
  cpuAccess: 'cached',
  ...(below !== undefined && {
    addressBits: { value: (below - 1n).toString(2).length, source: `kernel:${evidence}` },
  }),
  capacity: { value: size, source: `kernel:${evidence}` },
  usable: true,
});

/** @param limit the module's size_limit_mb */
export const udmabuf = (limit = 64): HeapFacts => ({
  id: 'udmabuf',
  kind: 'udmabuf',
  name: 'udmabuf',
  node: '/dev/udmabuf',
  class: { value: 'scattered', source: 'kernel:/dev/udmabuf' },
  cpuAccess: 'cached',
  maxBuffer: { value: BigInt(limit) * MIB, source: 'kernel:/sys/module/udmabuf/parameters/size_limit_mb' },
  usable: true,
});

/** The dumb buffers of a DRM device. */
export const dumb = (card: number, driver: string): HeapFacts => ({
  id: `drm-dumb:/dev/dri/card${card}`,
  kind: 'drm-dumb',
  name: driver,
  node: `/dev/dri/card${card}`,
  class: { value: 'device', source: 'kernel:DRM_CAP_DUMB_BUFFER' },
  cpuAccess: 'uncached',
  usable: true,
});

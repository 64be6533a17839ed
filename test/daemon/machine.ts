import { type Device, type HeapFacts, type Inventory, CPU_DEVICE } from '../../daemon/devices/inventory.js';
import { mergePolicy } from '../../daemon/policy/merge.js';
import { parsePolicyFile } from '../../daemon/policy/parse.js';
import type { Policy } from '../../daemon/policy/policy.js';

export const MIB = 1n << 20n;
export const LINEAR_ONLY = [0n];

export const fact = <T>(value: T): { value: T; source: string } => ({ value, source: 'kernel:test' });

/** A policy from the text of one file, by the real parser. */
export const policyOf = (text: string, name = '/etc/dmabroker/dmabroker.conf'): Policy =>
  mergePolicy([parsePolicyFile(name, Buffer.from(text))]);

/** A heap of which nothing is proved. */
export const unprovedHeap = (id: string, facts: Partial<HeapFacts> = {}): HeapFacts => ({
  id,
  kind: 'dma-heap',
  name: id,
  class: fact('scattered'),
  cpuAccess: 'cached',
  usable: true,
  ...facts,
});

/** A heap whose buffers may be handed out again. */
export const heapFacts = (id: string, facts: Partial<HeapFacts> = {}): HeapFacts =>
  unprovedHeap(id, { retention: { value: 'nothing', source: 'probe:VMSPLICE:EFAULT' }, ...facts });

export const SYSTEM = heapFacts('dma-heap:system', { name: 'system', node: '/dev/dma_heap/system' });
export const CMA = heapFacts('dma-heap:reserved', {
  name: 'reserved',
  node: '/dev/dma_heap/reserved',
  class: fact('contiguous'),
  capacity: fact(64n * MIB),
});
export const MEMFD = heapFacts('memfd', { kind: 'memfd', name: 'memfd', class: fact('plain') });

const device = (node: string, facts: Partial<Device>): Device => ({
  ...CPU_DEVICE,
  node,
  subsystem: 'drm',
  driver: 'testdrm',
  name: `test ${node}`,
  uses: ['scanout', 'render'],
  iommu: fact('none'),
  ...facts,
});

/** A GPU with two nodes that takes two formats, one of which has no layout that anybody here knows. */
export const GPU = device('/dev/dri/card0', {
  otherNodes: ['/dev/dri/renderD128'],
  number: '226:0',
  otherNumbers: ['226:128'],
  formats: [
    {
      format: 'XR24',
      modifiers: [0n, 0x100000000000001n],
      uses: ['scanout', 'render'],
      source: 'kernel:IN_FORMATS',
    },
    { format: 'QQ42', modifiers: [0n], uses: ['scanout'], source: 'kernel:IN_FORMATS' },
  ],
});
/** A camera whose buffers are held three at a time. */
export const CAMERA = device('/dev/video0', {
  subsystem: 'video4linux',
  driver: 'testcam',
  number: '81:0',
  uses: ['capture'],
  formats: [{ format: 'XR24', modifiers: [0n], uses: ['capture'], source: 'kernel:VIDIOC_ENUM_FMT' }],
  limits: [{ limit: 'min-buffers', value: 3, source: 'kernel:V4L2_CID_MIN_BUFFERS_FOR_CAPTURE' }],
});

/** A machine of these parts, with 1 GiB of RAM below 4 GiB. */
export const machine = (
  heaps: readonly HeapFacts[] = [SYSTEM, CMA, MEMFD],
  devices: readonly Device[] = [CPU_DEVICE, GPU, CAMERA],
): Inventory => ({
  machine: {
    name: 'test machine',
    architecture: 'x86_64',
    kernel: '6.12.0',
    compatible: [],
    ram: fact(1024n * MIB),
    ramTop: fact(4096n * MIB),
  },
  devices,
  heaps,
  reach: [],
  warnings: [],
});

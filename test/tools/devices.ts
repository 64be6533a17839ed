import type { Device, HeapFacts, HeapKind } from '../../daemon/devices/inventory.js';
import type { DeviceRules } from '../../daemon/policy/policy.js';

/** A display that nothing is known of but what is said. */
export const device = (parts: Partial<Device> = {}): Device => ({
  node: '/dev/dri/card0',
  otherNodes: [],
  number: '226:0',
  otherNumbers: [],
  subsystem: 'drm',
  driver: 'some-driver',
  compatible: [],
  name: 'a device',
  uses: ['scanout'],
  formats: [],
  limits: [],
  modes: [],
  iommu: { value: 'none', source: 'kernel:iommu_group' },
  ...parts,
});

/** A heap of a kind; `node` of a drm-dumb one says whose it is. */
export const heap = (id: string, kind: HeapKind = 'dma-heap', parts: Partial<HeapFacts> = {}): HeapFacts => ({
  id,
  kind,
  name: id,
  class: { value: 'scattered', source: `kernel:${id}` },
  cpuAccess: 'cached',
  usable: true,
  ...parts,
});

/** A known driver that policy says nothing of. */
export const NO_RULES: DeviceRules = { known: true, limits: [] };

import { describe, expect, it } from 'vitest';

import { natureOfHeap, type HeapEvidence } from '../../../daemon/devices/heap-class.js';

const NOTHING: HeapEvidence = { regions: [], reserved: [], cmaTotal: 0n };
const MIB = 1024n * 1024n;

const node = (name: string, more: { size?: bigint; top?: bigint } = {}) => ({
  name,
  path: `/sys/firmware/devicetree/base/reserved-memory/${name}`,
  phandle: 1,
  size: more.size,
  top: more.top,
});

describe('natureOfHeap', () => {
  it("knows the kernel's own heap, whatever was set aside under its name", () => {
    expect(natureOfHeap('system', { ...NOTHING, reserved: [node('system')] }).class.value).toBe('scattered');
  });

  it('finds contiguous memory by the reserved node of its name, and where it lies', () => {
    const reserved = [node('video@90000000', { size: 32n * MIB, top: 0x9200_0000n })];
    const source = 'kernel:/sys/firmware/devicetree/base/reserved-memory/video@90000000';
    for (const name of ['video', 'video@90000000'])
      expect(natureOfHeap(name, { ...NOTHING, reserved })).toEqual({
        class: { value: 'contiguous', source },
        capacity: { value: 32n * MIB, source },
        addressBits: { value: 32, source },
      });
    expect(natureOfHeap('vide', { ...NOTHING, reserved }).class.value).toBe('scattered');
  });

  it.each(['vendor', 'linux,cma', 'reserved', 'secure'])(
    'finds contiguous memory by the CMA region of its name, be it %s',
    (name) => {
      const regions = [{ name, path: `/sys/kernel/mm/cma/${name}`, size: 16n * MIB }];
      const source = `kernel:/sys/kernel/mm/cma/${name}`;
      expect(natureOfHeap(name, { ...NOTHING, regions })).toEqual({
        class: { value: 'contiguous', source },
        capacity: { value: 16n * MIB, source },
      });
    },
  );

  it.each([
    ...['linux,cma', 'reserved', 'default_cma_region', 'cma-uncached', 'restricted_mtk_cma', 'secure-video'],
    ...['system-dma32', 'vidbuf_cached', ''],
  ])('takes nothing from the name %s alone', (name) => {
    const other = { ...NOTHING, reserved: [node('other')] };
    expect(natureOfHeap(name, other)).toEqual({
      class: { value: 'scattered', source: `kernel:/dev/dma_heap/${name}` },
    });
  });
});

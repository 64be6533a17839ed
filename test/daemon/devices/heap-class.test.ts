import { describe, expect, it } from 'vitest';

import { natureOfHeap, type HeapEvidence } from '../../../daemon/devices/heap-class.js';

const NOTHING: HeapEvidence = { regions: [], reserved: [], cmaTotal: 0n };
const MIB = 1024n * 1024n;

const node = (name: string, more: { size?: bigint; top?: bigint; reusable?: boolean } = {}) => ({
  name,
  path: `/sys/firmware/devicetree/base/reserved-memory/${name}`,
  phandle: 1,
  size: more.size,
  top: more.top,
  reusable: more.reusable ?? false,
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

  it('takes CMA memory to end with the highest zone that has any, where nothing tells more', () => {
    const evidence = { ...NOTHING, cmaTop: { value: 0x1_0000_0000n, source: 'kernel:/proc/zoneinfo' } };
    const bits = { value: 32, source: 'kernel:/proc/zoneinfo' };
    const regions = [{ name: 'reserved', path: '/sys/kernel/mm/cma/reserved', size: MIB }];
    expect(natureOfHeap('reserved', { ...evidence, regions }).addressBits).toEqual(bits);
    const moved = (more: object) =>
      natureOfHeap('linux,cma', { ...evidence, reserved: [node('linux,cma', more)] }).addressBits;
    expect(moved({ reusable: true })).toEqual(bits);
    expect(moved({ reusable: true, top: 0x3000_0000n })?.value).toBe(30);
    // Memory that the kernel does not use lies in no zone.
    expect(moved({})).toBeUndefined();
  });

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

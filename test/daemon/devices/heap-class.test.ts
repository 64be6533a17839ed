import { describe, expect, it } from 'vitest';

import { natureOfHeap, type HeapEvidence } from '../../../daemon/devices/heap-class.js';

const NOTHING: HeapEvidence = { regions: [], reserved: [], cmaTotal: undefined };
const MIB = 1024n * 1024n;

const node = (name: string, more: { size?: bigint; top?: bigint } = {}) => ({
  name,
  path: `/sys/firmware/devicetree/base/reserved-memory/${name}`,
  phandle: 1,
  size: more.size,
  top: more.top,
});

describe('natureOfHeap', () => {
  it('knows the one name that the kernel has fixed', () => {
    const reserved = [node('system')];
    expect(natureOfHeap('system', { ...NOTHING, reserved, cmaTotal: MIB }).class.value).toBe('scattered');
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

  it('finds contiguous memory by the CMA region of its name', () => {
    const regions = [{ name: 'vendor', path: '/sys/kernel/mm/cma/vendor', size: 16n * MIB }];
    const source = 'kernel:/sys/kernel/mm/cma/vendor';
    expect(natureOfHeap('vendor', { ...NOTHING, regions })).toEqual({
      class: { value: 'contiguous', source },
      capacity: { value: 16n * MIB, source },
    });
  });

  it.each(['linux,cma', 'reserved', 'default_cma_region', 'cma-uncached'])(
    'believes the CMA name %s only while the kernel has CMA memory',
    (name) => {
      expect(natureOfHeap(name, { ...NOTHING, cmaTotal: MIB }).class).toEqual({
        value: 'contiguous',
        source: 'kernel:/proc/meminfo',
      });
      expect(natureOfHeap(name, NOTHING).class).toEqual({
        value: 'scattered',
        source: `kernel:/dev/dma_heap/${name}`,
      });
    },
  );

  it.each(['system-dma32', 'vidbuf_cached', 'camera', 'dogmatic', 'macmahon', ''])(
    'promises nothing of %s',
    (name) => {
      expect(natureOfHeap(name, { ...NOTHING, cmaTotal: MIB }).class.value).toBe('scattered');
    },
  );

  it.each(['restricted_mtk_cma', 'secure-video', 'protected,tee', 'mtk_svp_Secure'])(
    'gives %s to nobody who did not ask',
    (name) => {
      expect(natureOfHeap(name, { ...NOTHING, cmaTotal: MIB }).class.value).toBe('protected');
      expect(natureOfHeap(name, { ...NOTHING, reserved: [node(name)] }).class.value).toBe('protected');
    },
  );
});

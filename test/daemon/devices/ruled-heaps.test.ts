import { describe, expect, it } from 'vitest';

import type { Device, HeapFacts } from '../../../daemon/devices/inventory.js';
import { isContiguous, ruledHeaps } from '../../../daemon/devices/ruled-heaps.js';
import { CMA, fact, GPU, heapFacts, machine, policyOf, SYSTEM } from '../machine.js';

const DUMB = heapFacts('drm-dumb:/dev/dri/card0', {
  kind: 'drm-dumb',
  name: 'testdrm',
  node: GPU.node,
  class: fact('device'),
});
const NAMED = '[Heap name=h]\n';

const ruled = (heap: HeapFacts, policy = '', device: Partial<Device> = {}): HeapFacts => {
  const [first] = ruledHeaps(machine([heap], [{ ...GPU, ...device }]), policyOf(policy));
  if (first === undefined) throw new Error('no heap');
  return first;
};
const inOnePiece = (...args: Parameters<typeof ruled>): boolean => isContiguous(ruled(...args));

describe('ruledHeaps', () => {
  it('leaves a heap of which no rule says anything', () => {
    for (const heap of [SYSTEM, CMA, DUMB]) expect(ruled(heap)).toBe(heap);
  });

  it('takes the class for the attribute where it says it', () => {
    expect(inOnePiece(CMA)).toBe(true);
    expect(inOnePiece(SYSTEM)).toBe(false);
    const h = { ...SYSTEM, name: 'h' };
    expect(inOnePiece(h, `${NAMED}Class=contiguous\n`)).toBe(true);
    const known = { ...h, class: fact('contiguous' as const), capacity: fact(1n) };
    expect(inOnePiece(known, `${NAMED}Class=scattered\n`)).toBe(false);
    expect(inOnePiece({ ...h, contiguous: fact(true) }, `${NAMED}Class=plain\n`)).toBe(false);
  });

  it('lets protected memory be in one piece or not', () => {
    const h = { ...SYSTEM, name: 'h' };
    const secret = `${NAMED}Class=protected\n`;
    expect(ruled(h, secret)).toMatchObject({ class: { value: 'protected' }, cpuAccess: 'none' });
    expect(inOnePiece(h, secret)).toBe(false);
    expect(inOnePiece({ ...h, class: fact('contiguous') }, secret)).toBe(true);
    expect(inOnePiece({ ...h, capacity: fact(1n) }, secret)).toBe(true);
    expect(inOnePiece({ ...h, contiguous: fact(true) }, secret)).toBe(true);
    expect(inOnePiece(h, `${secret}Contiguous=yes\n`)).toBe(true);
    expect(inOnePiece({ ...h, class: fact('contiguous') }, `${secret}Contiguous=no\n`)).toBe(false);
  });

  it('names who says so', () => {
    const h = { ...SYSTEM, name: 'h' };
    expect(ruled(h, `${NAMED}Contiguous=yes\n`).contiguous).toEqual({
      value: true,
      source: 'policy:/etc/dmabroker/dmabroker.conf:2',
    });
    expect(ruled({ ...h, capacity: fact(1n) }, `${NAMED}Class=protected\n`).contiguous?.source).toBe(
      'kernel:test',
    );
  });

  it("takes a display's own memory to be what the display needs", () => {
    const needed = '[Device driver=testdrm]\nContiguous=without-iommu\n';
    expect(inOnePiece(DUMB, needed)).toBe(true);
    expect(ruled(DUMB, needed).contiguous?.source).toBe('policy:/etc/dmabroker/dmabroker.conf:2');
    expect(inOnePiece(DUMB, needed, { iommu: fact('DMA') })).toBe(false);
    expect(inOnePiece(DUMB, needed, { uses: ['render'] })).toBe(false);
    expect(inOnePiece(DUMB, '[Device driver=testdrm]\nContiguous=no\n')).toBe(false);
    expect(inOnePiece({ ...DUMB, node: '/dev/dri/card1' }, needed)).toBe(false);
  });

  it('asks the IOMMU of the device whose driver makes the buffers', () => {
    const rule = '[Heap kind=drm-dumb]\nContiguous=without-iommu\n';
    expect(inOnePiece(DUMB, rule)).toBe(true);
    expect(inOnePiece(DUMB, rule, { iommu: fact('DMA-FQ') })).toBe(false);
    expect(inOnePiece(SYSTEM, '[Heap kind=dma-heap]\nContiguous=without-iommu\n')).toBe(true);
  });
});

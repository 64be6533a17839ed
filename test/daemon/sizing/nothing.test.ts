import { describe, expect, it } from 'vitest';

import { MEMFD_HEAP, type HeapFacts, type Inventory } from '../../../daemon/devices/inventory.js';
import { nothingToHandOut } from '../../../daemon/sizing/nothing.js';

const closed: HeapFacts = {
  ...MEMFD_HEAP,
  id: 'dma-heap:system',
  kind: 'dma-heap',
  usable: false,
  unusable: 'EACCES',
};
const textOf = (...heaps: readonly HeapFacts[]): string =>
  nothingToHandOut({ heaps: [...heaps, MEMFD_HEAP] } as unknown as Inventory, {
    value: false,
    source: 'policy:built-in',
  }).text;

describe('nothingToHandOut', () => {
  it('names the line that helps, and whether there are heaps that may not be opened', () => {
    expect(textOf()).toMatch(/^nothing can be handed out: .*modprobe udmabuf.*PlainOnSystemBus=yes/);
    expect(textOf(closed)).toMatch(/systemctl start dmabrokerd.*PlainOnSystemBus=yes/);
  });

  it('names no heap: every user may read it', () => {
    expect(textOf(closed)).not.toContain('system/');
    expect(textOf(closed)).not.toContain('dma-heap:');
  });
});

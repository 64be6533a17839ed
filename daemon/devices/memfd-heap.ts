import type { HeapFacts } from './inventory.js';

/** Plain memory; the same on every machine. */
export const MEMFD_HEAP: HeapFacts = {
  id: 'memfd',
  kind: 'memfd',
  name: 'memfd',
  class: { value: 'plain', source: 'kernel:memfd' },
  cpuAccess: 'cached',
  usable: true,
};

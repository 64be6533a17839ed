import fc from 'fast-check';

import { HEAP_KINDS } from '../../../../daemon/devices/inventory.js';
import type {
  AllocationRecord,
  BufferRecord,
  StateRecord,
} from '../../../../daemon/ledger/persist/journal-record.js';
import type { Origin } from '../../../../daemon/pools/fd-store.js';
import { CPU_ACCESS, MEMORY_CLASSES } from '../../../../dbus/names.js';

const wide = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const count = fc.nat({ max: 2 ** 32 - 1 });

export const origins: fc.Arbitrary<Origin> = fc.record({
  heap: fc.string(),
  kind: fc.constantFrom(...HEAP_KINDS),
  class: fc.constantFrom(...MEMORY_CLASSES),
  cpuAccess: fc.constantFrom(...CPU_ACCESS),
  countsReferences: fc.boolean(),
});

const ids = fc.constantFrom('a', 'b', 'c');
const names = fc.constantFrom('p', 'q', 'r', 's');
const buffers: fc.Arbitrary<BufferRecord> = fc.record({
  name: names,
  inode: wide,
  origin: origins,
  size: wide,
  bytes: wide,
});

const image = fc.record({
  format: fc.string(),
  modifier: wide,
  width: count,
  height: count,
  planes: fc.array(fc.record({ offset: wide, pitch: count }), { maxLength: 4 }),
});

const allocations: fc.Arbitrary<AllocationRecord> = fc.record({
  id: ids,
  created: wide,
  origin: origins,
  owner: fc.record(
    {
      bus: fc.string(),
      name: fc.string(),
      uid: count,
      payer: count,
      user: fc.string(),
      groups: fc.array(fc.string()),
      unit: fc.string(),
    },
    { requiredKeys: ['bus', 'name', 'uid', 'groups', 'unit'] },
  ),
  label: fc.string(),
  layout: fc.record(
    {
      image,
      size: wide,
      fdSizes: fc.array(wide, { minLength: 2, maxLength: 4 }),
      cpuAccess: fc.constantFrom(...CPU_ACCESS),
    },
    { requiredKeys: ['size', 'cpuAccess'] },
  ),
});

/** Records of a few allocations and buffers, so that they often speak of the same ones. */
export const records: fc.Arbitrary<StateRecord> = fc.oneof(
  fc.record({ kind: fc.constant('made' as const), buffer: buffers }),
  fc.record({ kind: fc.constant('gone' as const), name: names }),
  fc.record({ kind: fc.constant('held' as const), allocation: allocations, buffers: fc.array(names) }),
  fc.record({
    kind: fc.constantFrom('grown', 'told', 'left', 'freed'),
    id: ids,
    buffers: fc.array(names),
  }),
);

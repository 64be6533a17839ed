import { describe, expect, it } from 'vitest';

import { planPools } from '../../../daemon/pools/plan.js';
import { roomsOf } from '../../../daemon/pools/rooms.js';
import { CMA, heapFacts, machine, MIB, policyOf, SYSTEM } from '../machine.js';

const UDMABUF = heapFacts('udmabuf', { kind: 'udmabuf', name: 'udmabuf' });
const rooms = (heaps: Parameters<typeof machine>[0], text: string) =>
  roomsOf(planPools(machine(heaps), policyOf(text)));

describe('roomsOf', () => {
  it('is one for the heaps of a class that draw on RAM, and one for each that has memory of its own', () => {
    const other = { ...CMA, id: 'dma-heap:other', name: 'other' };
    const all = rooms(
      [SYSTEM, UDMABUF, CMA, other],
      '[Pool scattered]\nLimit=10M\n[Pool contiguous]\nLimit=9M\n',
    );
    expect(all.map((room) => [room.class, room.plans.map(({ heap }) => heap.id), room.bytes])).toEqual([
      ['scattered', ['dma-heap:system', 'udmabuf'], 10n * MIB],
      ['contiguous', ['dma-heap:reserved'], 9n * MIB],
      ['contiguous', ['dma-heap:other'], 9n * MIB],
    ]);
  });

  it('holds no more than the heap has', () => {
    const [room] = rooms([CMA], '[Pool contiguous]\nLimit=1G\n');
    expect(room).toMatchObject({ bytes: 64n * MIB, capacity: 64n * MIB, limit: { value: 1024n * MIB } });
  });
});

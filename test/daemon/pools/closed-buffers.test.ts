import { describe, expect, it } from 'vitest';

import type { OwnedFd } from '../../../dbus/owned-fd.js';
import { Account, USER_SHARE } from '../../../dbus/accounts/account.js';
import type { Remains } from '../../../daemon/heaps/heap.js';
import type { PoolBuffer } from '../../../daemon/pools/pool.js';
import { type FakeHeap, PAGE } from '../fake-heap.js';
import { unprovedHeap } from '../machine.js';
import { expectNoBuffersOpen, freeAll, poolRig, type PoolRig } from './rig.js';

const USER = { account: new Account(1000, USER_SHARE), name: ':1.1' };
const OTHER = { account: new Account(1001, USER_SHARE), name: ':1.2' };

/**
 * Makes of a heap a card whose kernel does not tell when an object ends. A new object takes the first place that is free, as
 * drm_vma_offset_add does with holes of its size.
 */
class Card {
  /** By place: the descriptor of the object that was made there last. */
  readonly #places: OwnedFd[] = [];
  /** Places that a client maps after its buffer is closed. */
  readonly mapped = new Set<number>();
  /** Objects that lived at once at most. */
  most = 0;

  constructor(heap: FakeHeap) {
    const allocate = heap.allocate.bind(heap);
    heap.allocate = async (size) => {
      const fd = await allocate(size);
      this.#places[this.#firstFree()] = fd;
      const living = this.#places.filter((_fd, place) => this.#lives(place)).length;
      this.most = Math.max(this.most, living);
      return fd;
    };
    heap.follow = (dmaBuf) => Promise.resolve(this.#remains(dmaBuf));
  }

  #remains(dmaBuf: number): Remains {
    const place = this.#places.findIndex((fd) => fd.open && fd.number === dmaBuf);
    const followed = this.#places[place];
    return { held: () => (this.#places[place] === followed ? undefined : false) };
  }

  #lives(place: number): boolean {
    return this.mapped.has(place) || this.#places[place]?.open === true;
  }

  #firstFree(): number {
    let place = 0;
    while (this.#lives(place)) place += 1;
    return place;
  }
}

interface CardRig extends PoolRig {
  readonly card: Card;
}

function cardRig(limit: bigint, share = 100): CardRig {
  const facts = unprovedHeap('drm:card0', {
    retention: { value: 'unknown', source: 'probe:MODE_MAP_DUMB' },
  });
  const rig = poolRig({ facts });
  rig.pool.agree({ limit, warm: 0n, idle: 60_000, share });
  return { ...rig, card: new Card(rig.heap) };
}

async function take({ pool }: PoolRig, count: number, requester = USER): Promise<readonly PoolBuffer[]> {
  await pool.proveRoom(PAGE, count, requester);
  const taken = await pool.take(PAGE, count, requester);
  return taken.ok ? taken.buffers : [];
}

async function leave({ pool }: PoolRig, buffers: readonly PoolBuffer[]): Promise<void> {
  for (const buffer of buffers) await pool.follow(buffer);
  freeAll(buffers);
}

describe('memory that was freed without proof', () => {
  expectNoBuffersOpen();

  it('counts against its user as well as its pool', async () => {
    const rig = cardRig(8n * PAGE, 50);
    const buffers = await take(rig, 4);
    for (const place of [0, 1, 2, 3]) rig.card.mapped.add(place);
    await leave(rig, buffers);
    expect([rig.pool.view().live, rig.pool.shares.heldBy(1000)]).toEqual([4n * PAGE, 4n * PAGE]);
    expect(await take(rig, 1)).toEqual([]);
    const others = await take(rig, 4, OTHER);
    expect(others).toHaveLength(4);
    await leave(rig, others);
  });

  it('is proved to be gone when only the lack of proof refuses a request', async () => {
    const rig = cardRig(4n * PAGE);
    await leave(rig, await take(rig, 4));
    expect(rig.pool.view().live).toBe(4n * PAGE);
    const again = await take(rig, 4);
    expect(again).toHaveLength(4);
    expect([rig.pool.view().live, rig.pool.shares.heldBy(1000)]).toEqual([4n * PAGE, 4n * PAGE]);
    await leave(rig, again);
  });

  it('is proved as far as it is gone', async () => {
    const rig = cardRig(4n * PAGE);
    const buffers = await take(rig, 4);
    rig.card.mapped.add(1).add(2);
    await leave(rig, buffers);
    expect(await take(rig, 3)).toEqual([]);
    const two = await take(rig, 2);
    expect(two).toHaveLength(2);
    await leave(rig, two);
  });

  it('has no more replacements made than there is memory without proof', async () => {
    const rig = cardRig(4n * PAGE);
    const buffers = await take(rig, 4);
    for (const place of [0, 1, 2, 3]) rig.card.mapped.add(place);
    await leave(rig, buffers);
    expect(await Promise.all([take(rig, 1), take(rig, 1), take(rig, 1)])).toEqual([[], [], []]);
    expect(rig.card.most).toBe(8);
    expect(rig.pool.view().live).toBe(4n * PAGE);
  });

  it('stays without proof when nothing can be made, and the request is refused', async () => {
    const rig = cardRig(2n * PAGE);
    await leave(rig, await take(rig, 2));
    rig.heap.faults = ['ENOMEM'];
    expect(await take(rig, 1)).toEqual([]);
    expect(rig.pool.view().live).toBe(2n * PAGE);
    const later = await take(rig, 2);
    expect(later).toHaveLength(2);
    await leave(rig, later);
  });
});

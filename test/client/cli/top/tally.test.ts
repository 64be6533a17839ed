import { describe, expect, it } from 'vitest';

import { isBusy, Tally, WINDOW_MS } from '../../../../client/cli/top/tally.js';
import type { BrokerObject } from '../../../../client/model.js';
import { allocation, pool, status } from './objects.js';

const START = 1_000_000;

/** A watch's objects, and the tally of them. */
function tallied(...objects: readonly BrokerObject[]) {
  const map = new Map(objects.map((object) => [object.path, object]));
  const tally = new Tally(map, START);
  return {
    tally,
    add: (object: BrokerObject) => {
      map.set(object.path, object);
      tally.added(object);
    },
    change: (object: BrokerObject, now: number) => {
      const before = map.get(object.path) ?? object;
      map.set(object.path, object);
      tally.changed(object, before, now);
    },
    remove: (object: BrokerObject) => {
      map.delete(object.path);
      tally.removed(object);
    },
  };
}

describe('Tally', () => {
  it('shows pools in their order, with no rate yet', () => {
    const { tally } = tallied(status(), pool('b'), pool('a', { hits: 900n, misses: 70n }));
    const { broker, pools, owners } = tally.picture(START + 5000);
    expect(broker?.version).toBe('1.2.3');
    expect(pools.map(({ handle }) => handle)).toEqual(['b', 'a']);
    expect(pools[1]).toMatchObject({ hits: 900n, hitsPerSecond: 0, missesPerSecond: 0 });
    expect(owners).toEqual([]);
  });

  it('counts hits and misses by what they grew', () => {
    const { tally, change } = tallied(pool('a', { hits: 10n, misses: 5n }), pool('b'));
    change(pool('a', { hits: 40n, misses: 5n }), START + 4000);
    change(pool('a', { hits: 50n, misses: 6n }), START + 5000);
    const { pools } = tally.picture(START + WINDOW_MS);
    expect(pools.map(({ hitsPerSecond, missesPerSecond }) => [hitsPerSecond, missesPerSecond])).toEqual([
      [4, 0.1],
      [0, 0],
    ]);
    expect(isBusy(tally.picture(START + WINDOW_MS))).toBe(true);
    expect(isBusy(tally.picture(START + 5000 + WINDOW_MS))).toBe(false);
  });

  it('begins anew with a pool that came back', () => {
    const { tally, change, remove, add } = tallied(pool('a'));
    change(pool('a', { hits: 40n }), START + 1000);
    remove(pool('a', { hits: 40n }));
    expect(tally.picture(START + 2000)).toEqual({ pools: [], owners: [] });
    add(pool('a'));
    expect(tally.picture(START + 2000).pools[0]?.hitsPerSecond).toBe(0);
  });

  it('adds up what an owner has, and what is orphaned by itself; most memory first', () => {
    const { tally } = tallied(
      allocation('1', { count: 2, label: 'small' }),
      allocation('2', { count: 3, label: 'large', unit: '' }),
      allocation('3', { count: 1, label: 'large' }),
      allocation('4', { count: 9, owner: ':1.9', user: 1001, unit: 'player.service' }),
      allocation('5', { count: 1, state: 'orphaned' }),
    );
    expect(tally.picture(START).owners).toEqual([
      {
        ...{ owner: ':1.9', user: 1001, unit: 'player.service', state: 'held', labels: [] },
        ...{ allocations: 1, buffers: 9, size: 36_864n, allocationsPerSecond: 0 },
      },
      {
        ...{ owner: ':1.5', user: 1000, unit: '', state: 'held', labels: ['large', 'small'] },
        ...{ allocations: 3, buffers: 6, size: 24_576n, allocationsPerSecond: 0 },
      },
      {
        ...{ owner: ':1.5', user: 1000, unit: '', state: 'orphaned', labels: [] },
        ...{ allocations: 1, buffers: 1, size: 4096n, allocationsPerSecond: 0 },
      },
    ]);
  });

  it('counts the allocations of each owner, those that are gone again too', () => {
    const { tally, add, remove } = tallied(allocation('0'));
    const at = (milliseconds: number) => ({ created: new Date(START + milliseconds) });
    for (let index = 1; index <= 20; index++) {
      const brief = allocation(`x${index}`, at(index * 100));
      add(brief);
      remove(brief);
    }
    add(allocation('y', { ...at(100), owner: ':1.6' }));
    const { owners } = tally.picture(START + 4000);
    expect(owners.map(({ owner, allocationsPerSecond }) => [owner, allocationsPerSecond])).toEqual([
      [':1.5', 5],
      [':1.6', 0.25],
    ]);
  });

  it('does not take for new what a daemon took over', () => {
    const { tally, add } = tallied();
    add(allocation('old', { created: new Date(START - 1) }));
    expect(tally.picture(START + 10).owners[0]?.allocationsPerSecond).toBe(0);
  });
});

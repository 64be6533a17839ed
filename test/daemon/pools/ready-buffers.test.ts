import { openSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';

import { OwnedFd } from '../../../dbus/owned-fd.js';
import { ReadyBuffers, type ReadyBuffer } from '../../../daemon/pools/free-list.js';

const nothing = new OwnedFd(openSync('/dev/null', 'r'));
afterAll(() => {
  nothing.close();
});

const buffer = (size: bigint, since: number, bytes = size): ReadyBuffer => ({
  fd: nothing,
  size,
  bytes,
  since,
});
const stockOf = (...buffers: ReadyBuffer[]): ReadyBuffers => {
  const stock = new ReadyBuffers();
  for (const one of buffers) stock.put(one);
  return stock;
};
const times = (buffers: readonly ReadyBuffer[]): number[] => buffers.map(({ since }) => since);

describe('Stock', () => {
  it('gives as many as there are of a size, the youngest, and counts the memory behind them', () => {
    const stock = stockOf(buffer(1n, 1, 10n), buffer(1n, 2, 10n), buffer(1n, 3, 10n), buffer(2n, 4));
    expect(stock.bytes).toBe(32n);
    expect(times(stock.take(1n, 2))).toEqual([2, 3]);
    expect(stock.oldest(1n)).toBe(1);
    expect(times(stock.take(1n, 2))).toEqual([1]);
    expect(times(stock.take(1n, 2))).toEqual([]);
    expect(stock.bytes).toBe(2n);
    expect(stock.sizes).toEqual([2n]);
  });

  it('parts first with the oldest of the size that was asked longest ago', () => {
    const stock = stockOf(buffer(1n, 1), buffer(1n, 2), buffer(2n, 3), buffer(2n, 4), buffer(3n, 5));
    stock.take(1n, 1);
    expect([1, 2, 3, 4, 5].map(() => stock.takeLeastAsked()?.since)).toEqual([3, 4, 5, 1, undefined]);
    expect(stock.bytes).toBe(0n);
  });
});

import { describe, expect, it } from 'vitest';

import { amountText } from '../../../daemon/sizing/amount.js';

describe('amountText', () => {
  it.each([
    [0n, '0 bytes'],
    [1023n, '1023 bytes'],
    [1024n, '1 KiB'],
    [1536n, '1.5 KiB'],
    [61_651_200n, '58.8 MiB'],
    [67_108_864n, '64 MiB'],
    [1_073_741_823n, '1 GiB'],
    [3n * 2n ** 40n, '3 TiB'],
    [2n ** 60n, '1048576 TiB'],
  ])('says %d as %s', (bytes, text) => {
    expect(amountText(bytes)).toBe(text);
  });
});

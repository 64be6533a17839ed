import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BITS_PER_PIXEL, dumbImage } from '../../../daemon/heaps/drm-dumb.js';

const PIXEL = BITS_PER_PIXEL / 8;
const COUNTED = 2 ** 32;

describe('dumbImage', () => {
  it.each([
    [1n, { width: 1024, height: 1 }],
    [4097n, { width: 1024, height: 2 }],
    // 3840 x 2160 pixels of 32 bits.
    [33_177_600n, { width: 4096, height: 2025 }],
    [1n << 30n, { width: 16_384, height: 16_384 }],
  ])('makes %d bytes %o', (size, image) => {
    expect(dumbImage(size)).toEqual(image);
  });

  it('has room for what is asked, and wastes less than a row', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: BigInt(COUNTED - 1) }), (size) => {
        const { width, height } = dumbImage(size) ?? { width: 0, height: 0 };
        // Of the last sizes, whose last row ends where counting does, there is none.
        if (width === 0) {
          expect(COUNTED - Number(size)).toBeLessThan(2 ** 15 * PIXEL);
          return;
        }
        const room = width * height * PIXEL;
        expect(room).toBeGreaterThanOrEqual(Number(size));
        expect(room - Number(size)).toBeLessThan(width * PIXEL);
        expect(height).toBeLessThanOrEqual(width);
        expect(room).toBeLessThan(COUNTED);
      }),
    );
  });

  it.each([2n ** 32n - 1n, 2n ** 32n, 2n ** 64n + 4096n])('has none of %d bytes', (size) => {
    expect(dumbImage(size)).toBeUndefined();
  });
});

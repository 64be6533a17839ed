import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BITS_PER_PIXEL, dumbImage, pictureFor } from '../../../daemon/heaps/dumb-image.js';

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
    expect(dumbImage(size)).toEqual({ ...image, bitsPerPixel: BITS_PER_PIXEL });
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

describe('pictureFor', () => {
  const picture = (width: number, height: number, bitsPerPixel = 32) => ({ width, height, bitsPerPixel });

  it.each([
    // virtio_gpu_mode_dumb_create: ALIGN(pitch * height, PAGE_SIZE) bytes, of a resource of width and height.
    [picture(1920, 1080), 1920n * 1080n * 4n, 1080],
    [picture(1366, 768), 4_198_400n, 768],
    [picture(1366, 768, 16), 2_101_248n, 768],
    // Rows for bytes behind the picture, where a page does not hold them.
    [picture(1024, 4), 16_384n + 4096n, 5],
    [picture(1000, 2), 8193n, 3],
  ])('is %o for %d bytes, with %d rows', (asked, size, rows) => {
    expect(pictureFor(asked, size)).toEqual({ ...asked, height: rows });
  });

  it('is none beyond what the kernel counts', () => {
    expect(pictureFor(picture(65_536, 16_384), 4n)).toBeUndefined();
  });
});

import { wholePages, type Picture } from './heap.js';

/** What `CREATE_DUMB` is asked for. */
export type DumbImage = Picture;

/** Bits of a pixel: 32 is what every driver takes (virtio-gpu nothing else). */
export const BITS_PER_PIXEL = 32;
const BYTES_PER_PIXEL = BITS_PER_PIXEL / 8;

/** Pixels: a row of 4 KiB, which the drivers' pitch steps divide. */
const MIN_WIDTH_PIXELS = 1024;

/**
 * The image that has room for so many bytes. It is no higher than wide, because some drivers bound both sides, and a
 * power of two wide, so that no pitch step makes its rows longer.
 * @returns undefined beyond the 32 bits in which the kernel counts the bytes (drm_mode_create_dumb)
 */
export function dumbImage(size: bigint): DumbImage | undefined {
  if (size >= 2n ** 32n) return undefined;
  const bytes = Number(size);
  let width = MIN_WIDTH_PIXELS;
  while (width * width * BYTES_PER_PIXEL < bytes) width *= 2;
  const height = Math.ceil(bytes / (width * BYTES_PER_PIXEL));
  if (width * height * BYTES_PER_PIXEL >= 2 ** 32) return undefined;
  return { width, height, bitsPerPixel: BITS_PER_PIXEL };
}

/** Pages of the kernel are no smaller, and drivers round up to whole ones. */
const MIN_PAGE_BYTES = 4096n;

/** The picture with as many rows below it as make room for so many bytes. @returns undefined beyond 32 bits */
export function pictureFor({ width, height, bitsPerPixel }: Picture, size: bigint): DumbImage | undefined {
  const row = BigInt(width) * BigInt(bitsPerPixel / 8);
  const own = wholePages(row * BigInt(height), MIN_PAGE_BYTES);
  const rows = own >= size ? BigInt(height) : (size + row - 1n) / row;
  return row * rows < 2n ** 32n ? { width, height: Number(rows), bitsPerPixel } : undefined;
}

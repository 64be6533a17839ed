/** Bits of a pixel: 32 is what every driver takes (virtio-gpu nothing else). */
export const DUMB_BITS = 32;
const PIXEL = DUMB_BITS / 8;
/** Pixels: a row of 4 KiB, which the drivers' pitch steps divide. */
const LEAST_WIDTH = 1024;

/** Pixels. */
export interface DumbImage {
  readonly width: number;
  readonly height: number;
}

/**
 * The image that has room for so many bytes. It is no higher than wide, because some drivers bound both sides, and a
 * power of two wide, so that no pitch step makes its rows longer.
 * @returns undefined beyond the 32 bits in which the kernel counts the bytes (drm_mode_create_dumb)
 */
export function dumbImage(size: bigint): DumbImage | undefined {
  if (size >= 2n ** 32n) return undefined;
  const bytes = Number(size);
  let width = LEAST_WIDTH;
  while (width * width * PIXEL < bytes) width *= 2;
  const height = Math.ceil(bytes / (width * PIXEL));
  return width * height * PIXEL < 2 ** 32 ? { width, height } : undefined;
}

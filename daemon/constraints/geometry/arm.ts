/**
 * Arm's tiles of 16 × 16 pixels, whose pixels are interleaved in the order of a U. The pitch that DRM counts is that of
 * a row of pixels; lima takes the smallest one alone.
 * Sources: Mesa `pan_image_layout_init` (`panfrost/lib/pan_layout.c`) and `lima_resource_create` (`lima_resource.c`).
 */
import { pixelBytes } from './pixels.js';
import { plainTiling, type Family } from './tiling.js';

/** DRM_FORMAT_MOD_ARM_16X16_BLOCK_U_INTERLEAVED */
const INTERLEAVED = 0x0810_0000_0000_0001n;

export const arm: Family = (format, modifier) => {
  const bytes = pixelBytes(format);
  return bytes === undefined || modifier !== INTERLEAVED ? undefined : plainTiling(16 * bytes, 16n, true);
};

/**
 * Vivante's tiles of 4 × 4 pixels, and super tiles of 64 × 64. A larger pitch is taken. GPUs with a block transfer engine
 * need four pixels of a row of tiles where others need sixteen; sixteen do for both. The split variants depend on how
 * many pixel pipes the GPU has, which is not in the modifier.
 * Source: Mesa `etna_layout_multiple` and `setup_miptree` (`etnaviv_resource.c`).
 */
import { pixelBytes } from './pixels.js';
import { plainTiling, type Family } from './tiling.js';

/** DRM_FORMAT_MOD_VIVANTE_TILED, _SUPER_TILED */
const TILED = 0x0600_0000_0000_0001n;
const SUPER_TILED = 0x0600_0000_0000_0002n;

export const vivante: Family = (format, modifier) => {
  const bytes = pixelBytes(format);
  if (bytes === undefined) return undefined;
  if (modifier === TILED) return plainTiling(16 * bytes, 4n, false);
  return modifier === SUPER_TILED ? plainTiling(64 * bytes, 64n, false) : undefined;
};

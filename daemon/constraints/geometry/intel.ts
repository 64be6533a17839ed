/**
 * Intel's tiles without compression. A tile is 4 KiB: 512 bytes × 8 rows (X), or 128 bytes × 32 rows (Y and 4). Larger
 * pitches are taken, as long as they are whole tiles. Mesa prefers Y and 4 to X (`iris_resource.c`, its priorities).
 * Sources: Mesa `isl_get_tile_info` and `isl_calc_row_pitch` (`intel/isl/isl.c`), Linux `intel_tile_width_bytes` and
 * `intel_fb_stride_alignment` (`i915/display/intel_fb.c`).
 */
import { pixelBytes } from './pixels.js';
import { plainTiling, type Family, type Tiling } from './tiling.js';

const TILINGS: ReadonlyMap<bigint, Tiling> = new Map([
  // I915_FORMAT_MOD_X_TILED, _Y_TILED, _4_TILED
  [0x0100_0000_0000_0001n, { ...plainTiling(512, 8n, false), isLastChoice: true }],
  [0x0100_0000_0000_0002n, plainTiling(128, 32n, false)],
  [0x0100_0000_0000_0009n, plainTiling(128, 32n, false)],
]);

export const intel: Family = (format, modifier) =>
  pixelBytes(format) === undefined ? undefined : TILINGS.get(modifier);

/**
 * AMD's blocks of 64 and 256 KiB without compression. A block is as near to a square of pixels as powers of two allow,
 * the width being the larger. How pixels lie in it depends on the rest of the modifier, the sizes do not. Some drivers take
 * the smallest pitch alone.
 * Sources: Mesa `gfx9_compute_surface` and `ac_surface_override_offset_stride` (`amd/common/ac_surface.c`), Linux
 * `amdgpu_display_verify_sizes` (`amdgpu_display.c`).
 */
import { pixelBytes } from './pixels.js';
import { plainTiling, type Family, type Tiling } from './tiling.js';

const VENDOR = 0x02n;
/** DCC and what belongs to it. */
const COMPRESSION_BITS = 0x1f_e000n;

/** Version and tile of `drm_fourcc.h` (AMD_FMT_MOD_TILE_*), to bytes of a block as a power of two. */
const BLOCKS: ReadonlyMap<string, number> = new Map([
  // GFX9: 64K_S, 64K_D, 64K_S_X, 64K_D_X
  ['1 9', 16],
  ['1 10', 16],
  ['1 25', 16],
  ['1 26', 16],
  // GFX10 and GFX10_RBPLUS: 64K_R_X
  ['2 27', 16],
  ['3 27', 16],
  // GFX11: 64K_D, 64K_R_X, 256K_R_X
  ['4 10', 16],
  ['4 27', 16],
  ['4 31', 18],
]);

/** By the bytes of a pixel and the bits of a block: modifiers that differ in the order of pixels alone share one. */
const TILINGS: ReadonlyMap<string, Tiling> = new Map(
  [1, 2, 4, 8].flatMap((bytes) =>
    [16, 18].map((block): [string, Tiling] => {
      const pixels = block - Math.log2(bytes);
      const width = 2 ** Math.ceil(pixels / 2);
      const height = 2 ** Math.floor(pixels / 2);
      return [`${bytes} ${block}`, plainTiling(width * bytes, BigInt(height), true)];
    }),
  ),
);

export const amd: Family = (format, modifier) => {
  const bytes = pixelBytes(format);
  if (bytes === undefined || modifier >> 56n !== VENDOR || (modifier & COMPRESSION_BITS) !== 0n)
    return undefined;
  const block = BLOCKS.get(`${modifier & 0xffn} ${(modifier >> 8n) & 0x1fn}`);
  return block === undefined ? undefined : TILINGS.get(`${bytes} ${block}`);
};

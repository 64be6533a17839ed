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
/** Bits of version and tile. */
const TILE_BITS = 0x1fffn;
/** The fields that say in which order pixels lie in a block (AMD_FMT_MOD_*). */
const PIPE_XOR = 0x0e0_0000n;
const BANK_XOR = 0x700_0000n;
const PACKERS = 0x3800_0000n;

interface Block {
  /** Bytes of a block, as a power of two. */
  readonly bits: number;
  /** The fields that may be set for this tile; anything else, such as DCC, is another modifier. */
  readonly fields: bigint;
}

/** By version and tile of `drm_fourcc.h` (AMD_FMT_MOD_TILE_*). */
const BLOCKS: ReadonlyMap<bigint, Block> = new Map([
  // GFX9: 64K_S, 64K_D, 64K_S_X, 64K_D_X
  [0x0901n, { bits: 16, fields: 0n }],
  [0x0a01n, { bits: 16, fields: 0n }],
  [0x1901n, { bits: 16, fields: PIPE_XOR | BANK_XOR }],
  [0x1a01n, { bits: 16, fields: PIPE_XOR | BANK_XOR }],
  // GFX10 and GFX10_RBPLUS: 64K_R_X
  [0x1b02n, { bits: 16, fields: PIPE_XOR }],
  [0x1b03n, { bits: 16, fields: PIPE_XOR | PACKERS }],
  // GFX11: 64K_D, 64K_R_X, 256K_R_X
  [0x0a04n, { bits: 16, fields: 0n }],
  [0x1b04n, { bits: 16, fields: PIPE_XOR | PACKERS }],
  [0x1f04n, { bits: 18, fields: PIPE_XOR | PACKERS }],
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
  if (bytes === undefined || modifier >> 56n !== VENDOR) return undefined;
  const rest = modifier & 0x00ff_ffff_ffff_ffffn;
  const block = BLOCKS.get(rest & TILE_BITS);
  if (block === undefined || (rest & ~TILE_BITS & ~block.fields) !== 0n) return undefined;
  return TILINGS.get(`${bytes} ${block.bits}`);
};

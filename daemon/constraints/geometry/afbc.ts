/**
 * Arm's frame buffer compression, sparse: a header of 16 bytes for each superblock, then room for each superblock as if it
 * were not compressed. Headers that are all zeros are black superblocks. The pitch is that of the uncompressed rows.
 * Sources: Mesa `pan_image_layout_init` (`panfrost/lib/pan_layout.c`), Linux `drm_gem_afbc_min_size`
 * (`drm_gem_framebuffer_helper.c`) and `mediatek/mtk_plane.h`.
 */
import { alignUpBig } from '../integers.js';
import { coloursOf, pixelBytes, type Colours } from './pixels.js';
import type { Family, Tiling } from './tiling.js';

const AFBC = 0x0800_0000_0000_0000n;
const HEADER_BYTES = 16n;
const SUPERBLOCK_PIXELS = 256n;
/** What begins at such a multiple: the body behind headers (Mesa's newer GPUs; older ones take 64), and if they are tiled. */
const BODY_STEP = 128n;
const TILED_BODY_STEP = 4096n;
/** MediaTek's display lets the body begin later than others do. */
const LARGEST_BODY_STEP = 1024n;

const tilingOf = (bytes: number, blockWidth: number, isTiled: boolean): Tiling => {
  // Tiled headers are in groups of 8 × 8. Mesa rounds rows of 32 × 8 to two superblocks.
  const group = isTiled ? 8 : 1;
  const rowStep = BigInt(16 * group);
  const bodyStep = isTiled ? TILED_BODY_STEP : BODY_STEP;
  return {
    isCompressed: true,
    pitchStep: () => blockWidth * group * bytes,
    isPitchExact: true,
    place({ rows }, { pitch }) {
      const pixels = BigInt(pitch / bytes) * alignUpBig(rows, rowStep);
      const headers = (pixels / SUPERBLOCK_PIXELS) * HEADER_BYTES;
      const begin = alignUpBig(headers, bodyStep);
      return {
        planes: [{ offset: 0n, pitch }],
        end: begin + pixels * BigInt(bytes),
        spare: alignUpBig(begin, LARGEST_BODY_STEP) - begin,
      };
    },
  };
};

const blocks = (blockWidth: number, isTiled = false): ReadonlyMap<number, Tiling> =>
  new Map([1, 2, 4].map((bytes) => [bytes, tilingOf(bytes, blockWidth, isTiled)]));

const NARROW = blocks(16);
const WIDE = blocks(32);
const TILED = blocks(16, true);

/** The modifiers of which each kind of format was compared with Mesa, by the low bits (AFBC_FORMAT_MOD_*). */
const COMPARED: ReadonlyMap<bigint, { readonly tilings: typeof NARROW; readonly kinds: readonly Colours[] }> =
  new Map([
    // BLOCK_SIZE_16x16 | SPARSE, also with YTR, which is for red, green and blue, and with SPLIT
    [0x041n, { tilings: NARROW, kinds: ['one', 'two', '565', 'four'] }],
    [0x051n, { tilings: NARROW, kinds: ['565', 'four'] }],
    [0x061n, { tilings: NARROW, kinds: ['one', 'two', '565', 'four'] }],
    // The same | TILED | SC, also with YTR
    [0x341n, { tilings: TILED, kinds: ['one', 'two', '565', 'four'] }],
    [0x351n, { tilings: TILED, kinds: ['565', 'four'] }],
    // BLOCK_SIZE_32x8 | SPARSE; with SPLIT, also with YTR
    [0x042n, { tilings: WIDE, kinds: ['one', 'two', '565'] }],
    [0x062n, { tilings: WIDE, kinds: ['four'] }],
    [0x072n, { tilings: WIDE, kinds: ['four'] }],
  ]);

export const afbc: Family = (format, modifier) => {
  const compared = COMPARED.get(modifier - AFBC);
  const colours = coloursOf(format);
  const bytes = pixelBytes(format);
  if (compared === undefined || colours === undefined || bytes === undefined) return undefined;
  return compared.kinds.includes(colours) ? compared.tilings.get(bytes) : undefined;
};

/**
 * Arm's frame buffer compression, sparse: a header of 16 bytes for each superblock, then room for each superblock as if it
 * were not compressed. Headers that are all zeros are black superblocks. The pitch is that of the uncompressed rows.
 * Sources: Mesa `pan_image_layout_init` (`panfrost/lib/pan_layout.c`), Linux `drm_gem_afbc_min_size`
 * (`drm_gem_framebuffer_helper.c`) and `mediatek/mtk_plane.h`.
 */
import { alignUpBig } from '../integers.js';
import { coloursOf, pixelBytes } from './pixels.js';
import type { Family, Tiling } from './tiling.js';

const AFBC = 0x0800_0000_0000_0000n;
/** The low bits of a modifier, `drm_fourcc.h`: AFBC_FORMAT_MOD_* */
const BLOCK_16X16 = 0x01n;
const BLOCK_32X8 = 0x02n;
const YTR = 0x10n;
const SPLIT = 0x20n;
const SPARSE = 0x40n;
/** _TILED, which comes with _SC. */
const TILED = 0x300n;

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

/** By the bytes of a pixel and the low bits of a modifier without what changes nothing about the sizes. */
const TILINGS: ReadonlyMap<string, Tiling> = new Map(
  [1, 2, 4].flatMap((bytes): [string, Tiling][] => [
    [`${bytes} ${BLOCK_16X16}`, tilingOf(bytes, 16, false)],
    [`${bytes} ${BLOCK_32X8}`, tilingOf(bytes, 32, false)],
    [`${bytes} ${BLOCK_16X16 | TILED}`, tilingOf(bytes, 16, true)],
  ]),
);

export const afbc: Family = (format, modifier) => {
  const flags = modifier - AFBC;
  const bytes = coloursOf(format) === undefined ? undefined : pixelBytes(format);
  if (bytes === undefined || flags < 0n || (flags & SPARSE) === 0n) return undefined;
  const rest = flags & ~SPARSE & ~YTR;
  // Split blocks were compared without tiled headers.
  return TILINGS.get(`${bytes} ${(rest & TILED) === 0n ? rest & ~SPLIT : rest}`);
};

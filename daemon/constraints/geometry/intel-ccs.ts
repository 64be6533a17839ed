/**
 * Intel's render compression: a plane of tiles (32 rows), a plane that has the state of each pair of cache lines, and
 * perhaps the colour that cleared parts have. All of them are in one buffer; state that is all zeros means "not
 * compressed" (Mesa `isl_aux_info.c`). Compression of DG2 and later keeps its state outside the buffer, and is not here.
 */
import { alignUpBig, lcm } from '../integers.js';
import { coloursOf, pixelBytes } from './pixels.js';
import type { Family, Tiling } from './tiling.js';

const TILE_ROWS = 32n;
const PAGE = 4096n;
/** Bytes of the clear colour with what the hardware adds (`drm_fourcc.h`, I915_FORMAT_MOD_Y_TILED_GEN12_RC_CCS_CC). */
const CLEAR_COLOUR = 64;

/** The first offset behind `end` that is a page and what participants ask of offsets besides. */
const nextPlane = (end: bigint, offsetMultiple: bigint): bigint => alignUpBig(end, lcm(PAGE, offsetMultiple));

/**
 * Gen 9 to 11: a tile of state (128 bytes × 32 rows) stands for 4,096 bytes × 512 rows of the image. The display wants
 * the pitch of images wider than 3,840 pixels in steps of four tiles (Linux `intel_fb_stride_alignment`).
 */
const gen9: Tiling = {
  isCompressed: true,
  pitchStep: (width) => (width > 3840 ? 512 : 128),
  isPitchExact: false,
  place({ rows }, { pitch, offsetMultiple }) {
    const offset = nextPlane(BigInt(pitch) * alignUpBig(rows, TILE_ROWS), offsetMultiple);
    const statePitch = Math.ceil(pitch / 4096) * 128;
    const stateRows = ((rows + 511n) / 512n) * TILE_ROWS;
    return {
      planes: [
        { offset: 0n, pitch },
        { offset, pitch: statePitch },
      ],
      end: offset + BigInt(statePitch) * stateRows,
    };
  },
};

/**
 * Gen 12 and Meteor Lake: 64 bytes of state stand for four tiles side by side, so that its pitch is an eighth of the
 * image's and it has a 256th of its bytes (Linux `gen12_ccs_aux_stride`, Mesa `iris_resource.c`).
 */
const gen12 = (hasClearColour: boolean): Tiling => ({
  isCompressed: true,
  pitchStep: () => 512,
  isPitchExact: false,
  place({ rows }, { pitch, offsetMultiple }) {
    const bytes = BigInt(pitch) * alignUpBig(rows, TILE_ROWS);
    const offset = nextPlane(bytes, offsetMultiple);
    const stateEnd = offset + bytes / 256n;
    const planes = [
      { offset: 0n, pitch },
      { offset, pitch: pitch / 8 },
    ];
    if (!hasClearColour) return { planes, end: stateEnd };
    const colour = nextPlane(stateEnd, offsetMultiple);
    return {
      planes: [...planes, { offset: colour, pitch: CLEAR_COLOUR }],
      end: colour + BigInt(CLEAR_COLOUR),
    };
  },
});

const GEN9_CCS = 0x0100_0000_0000_0004n;
const GEN12_TILINGS: ReadonlyMap<bigint, Tiling> = new Map([
  // I915_FORMAT_MOD_Y_TILED_GEN12_RC_CCS and its _CC, I915_FORMAT_MOD_4_TILED_MTL_RC_CCS and its _CC
  [0x0100_0000_0000_0006n, gen12(false)],
  [0x0100_0000_0000_0008n, gen12(true)],
  [0x0100_0000_0000_000dn, gen12(false)],
  [0x0100_0000_0000_000fn, gen12(true)],
]);

export const intelCcs: Family = (format, modifier) => {
  if (coloursOf(format) === undefined) return undefined;
  // Before gen 12 only pixels of 4 and 8 bytes are compressed so.
  if (modifier === GEN9_CCS) return (pixelBytes(format) ?? 0) >= 4 ? gen9 : undefined;
  return GEN12_TILINGS.get(modifier);
};

/**
 * Qualcomm's tiles, and UBWC, which puts the state of every block of pixels before them. The display computes the pitch
 * itself, so that it is never larger. State that is all zeros is what Mesa itself begins with (`fd6_blitter.cc`).
 * Sources: Mesa `fdl6_layout_image` (`freedreno/fdl/fd6_layout.c`), Linux `msm_media_info.h` (`msm/disp/dpu1`).
 */
import { alignUpBig } from '../integers.js';
import { coloursOf, type Colours } from './pixels.js';
import { plainTiling, type Family, type Tiling } from './tiling.js';

/** DRM_FORMAT_MOD_QCOM_COMPRESSED, _TILED3 */
const COMPRESSED = 0x0500_0000_0000_0001n;
const TILED3 = 0x0500_0000_0000_0003n;

interface Tile {
  /** Bytes of a row of tiles, and rows. */
  readonly bytes: number;
  readonly rows: bigint;
  /** Pixels that a byte of state stands for; absent where nothing is compressed. */
  readonly block?: { readonly width: number; readonly height: bigint };
}

const TILES: Readonly<Record<Colours, Tile>> = {
  one: { bytes: 128, rows: 32n },
  two: { bytes: 128, rows: 32n, block: { width: 16, height: 8n } },
  '565': { bytes: 256, rows: 16n, block: { width: 16, height: 4n } },
  four: { bytes: 256, rows: 16n, block: { width: 16, height: 4n } },
  'half-floats': { bytes: 512, rows: 16n, block: { width: 8, height: 4n } },
};

const PAGE = 4096n;

const compressed = (tile: Tile, block: NonNullable<Tile['block']>): Tiling => ({
  isCompressed: true,
  pitchStep: () => tile.bytes,
  isPitchExact: true,
  place({ width, rows }, { pitch }) {
    const across = alignUpBig(BigInt(Math.ceil(width / block.width)), 64n);
    const down = alignUpBig((rows + block.height - 1n) / block.height, 16n);
    // The plane begins with its state: its offset is that of both.
    return {
      planes: [{ offset: 0n, pitch }],
      end: alignUpBig(across * down, PAGE) + BigInt(pitch) * alignUpBig(rows, tile.rows),
    };
  },
});

export const qualcomm: Family = (format, modifier) => {
  const colours = coloursOf(format);
  if (colours === undefined) return undefined;
  const tile = TILES[colours];
  if (modifier === TILED3) return plainTiling(tile.bytes, tile.rows, true);
  return modifier === COMPRESSED && tile.block !== undefined ? compressed(tile, tile.block) : undefined;
};

/**
 * Three kinds of tiles, one of each sort: a pitch that may be larger, one that may not, and compression with a second plane.
 * Written from `drm_fourcc.h` and from layouts of Mesa (`test/fixtures/mesa-layouts.txt`), without a look at the daemon's.
 */
import type { Constraint, Image } from '../../../../daemon/constraints/constraint-types.js';
import { LARGEST_OFFSET, part, pitchesOf, type Geometry } from './geometry.js';
import { said } from './said.js';
import type { Search } from './search.js';

/** DRM_FORMAT_MOD_VIVANTE_TILED, DRM_FORMAT_MOD_ARM_16X16_BLOCK_U_INTERLEAVED, I915_FORMAT_MOD_Y_TILED_CCS */
export const GROWING = 0x0600_0000_0000_0001n;
export const EXACT = 0x0810_0000_0000_0001n;
export const COMPRESSED = 0x0100_0000_0000_0004n;

interface Tile {
  /** Bytes of a tile's row. */
  readonly row: bigint;
  readonly rows: bigint;
}

/** Undefined where the reference does not know the modifier, or not for the format. */
export function tileOf({ format, width }: Image, modifier: bigint): Tile | undefined {
  const [shape, second] = format.planes;
  if (shape === undefined || second !== undefined || shape.hsub * shape.vsub !== 1) {
    return undefined;
  }
  const pixel = BigInt(shape.bytes);
  if (![1n, 2n, 4n, 8n].includes(pixel)) {
    return undefined;
  }
  switch (modifier) {
    case GROWING:
      return { row: 16n * pixel, rows: 4n };
    case EXACT:
      return { row: 16n * pixel, rows: 16n };
    case COMPRESSED:
      return pixel < 4n ? undefined : { row: width > 3840 ? 512n : 128n, rows: 32n };
    default:
      return undefined;
  }
}

const times = (value: bigint, step: bigint): bigint => (value + step - 1n) / step;

/** Bytes of a row of an image in whole tiles. */
export const tiledRow = ({ format, width }: Image, { row }: Tile): bigint =>
  times(BigInt(width) * BigInt(format.planes[0]?.bytes ?? 0), row) * row;

/** The smallest layout in tiles that satisfies `constraints`; undefined when there is none. */
export function tiledGeometry(
  image: Image,
  modifier: bigint,
  constraints: readonly Constraint[],
  search: Search,
  whole: (end: bigint) => bigint | undefined,
): Geometry | undefined {
  const tile = tileOf(image, modifier);
  const height = search(BigInt(image.height), said(constraints, 'height-multiple').map(BigInt), () => true);
  if (tile === undefined || height === undefined) {
    return undefined;
  }
  const row = tiledRow(image, tile);
  const wholeTiles: Image = { ...image, width: Number(row) / (image.format.planes[0]?.bytes ?? 0) };
  const unit: Constraint = {
    kind: 'pitch-multiple',
    value: Number(tile.row),
    origin: { entry: -1, device: '', source: 'tile' },
  };
  const pitch = pitchesOf(wholeTiles, height, [...constraints, unit], search)?.[0];
  if (pitch === undefined || (modifier === EXACT && pitch !== row)) {
    return undefined;
  }
  const pixels = { offset: 0n, pitch };
  const end = pitch * times(height, tile.rows) * tile.rows;
  if (modifier !== COMPRESSED) {
    const size = whole(end);
    return size === undefined ? undefined : { planes: [pixels], size };
  }
  if ([...said(constraints, 'planes-apart'), ...said(constraints, 'planes-contiguous')].includes(true)) {
    return undefined;
  }
  const pages = search(
    times(end, 4096n),
    said(constraints, 'offset-multiple').map((multiple) => part(BigInt(multiple), 4096n)),
    (page) => page * 4096n <= LARGEST_OFFSET,
  );
  if (pages === undefined) {
    return undefined;
  }
  const state = { offset: pages * 4096n, pitch: 128n * times(pitch, 4096n) };
  const size = whole(state.offset + state.pitch * 32n * times(height, 512n));
  return size === undefined ? undefined : { planes: [pixels, state], size };
}

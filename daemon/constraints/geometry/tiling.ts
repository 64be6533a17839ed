import type { PixelFormat, PlaneLayout } from '../constraint-types.js';
import { alignUpBig } from '../integers.js';

/** The part of an image that a family looks at beside its pitch. */
export interface TiledArea {
  /** Pixels. */
  readonly width: number;
  /** Rows that every participant's count of them fits in, not yet rounded up to tiles. */
  readonly rows: bigint;
}

/** What a tiling needs to know of the memory around it. */
export interface Placement {
  /** Bytes from one row of the image to the next, as DRM counts them: a multiple of the tiling's `pitchStep`. */
  readonly pitch: number;
  /** Bytes that the offset of every plane is a multiple of. */
  readonly offsetMultiple: bigint;
}

/** Where the planes of a tiled image lie: the one of pixels first, then those of metadata. */
export interface TiledPlanes {
  readonly planes: readonly PlaneLayout[];
  /** Bytes from the start of the buffer to the end of what the driver that is the source lays out. */
  readonly end: bigint;
  /** Bytes that another consumer of the same modifier may want after that; 0 when absent. */
  readonly spare?: bigint;
}

/** How one modifier lays out the pixels of one format. */
export interface Tiling {
  /** Compression has metadata in the buffer, of which all zeros are a valid state. */
  readonly isCompressed: boolean;
  /** Bytes of a tile's row, which every pitch is a multiple of. */
  readonly pitchStep: (width: number) => number;
  /** Set where consumers take the smallest pitch and no larger one. */
  readonly isPitchExact: boolean;
  /** Set for tiles that the driver itself likes least. */
  readonly isLastChoice?: true;
  place(area: TiledArea, placement: Placement): TiledPlanes;
}

/** Finds the tiling of a modifier of one family; undefined when the family does not have that modifier for the format. */
export type Family = (format: PixelFormat, modifier: bigint) => Tiling | undefined;

/** Planes of pixels and nothing else: whole tiles of so many rows each. */
export const plainTiling = (pitchStep: number, tileRows: bigint, isPitchExact: boolean): Tiling => ({
  isCompressed: false,
  pitchStep: () => pitchStep,
  isPitchExact,
  place: ({ rows }, { pitch }) => ({
    planes: [{ offset: 0n, pitch }],
    end: BigInt(pitch) * alignUpBig(rows, tileRows),
  }),
});

import { alignUpBig, gcdBig, MAX_OFFSET_BYTES, MAX_PITCH_BYTES, MAX_SIZE_BYTES } from './integers.js';
import type { Limits } from './limits.js';
import { pitchesOf } from './pitch.js';
import type { Image, PlaneLayout, PlaneShape } from './constraint-types.js';

/** Where a content's planes lie, or what there is too much of to lay it out. */
export type Geometry =
  | {
      readonly planes: readonly PlaneLayout[];
      readonly size: bigint;
      /** Bytes of each plane's own descriptor; absent where one holds everything. */
      readonly fdSizes?: readonly bigint[];
    }
  | { readonly failed: 'width' | 'height' | 'size' };

/** Lays a linear image out: each pitch the smallest that fits, each plane at the first offset that fits. */
export function layoutImage(image: Image, limits: Limits): Geometry {
  const { format, width, height } = image;
  if (height > limits.maxHeight) return { failed: 'height' };
  if (limits.planesApart && format.planes.length > 1) return layoutApart(image, limits);
  const isContiguous = limits.contiguousRows.length > 0 && format.planes.length > 1;
  const agreed = isContiguous ? agreedRows(BigInt(height), limits) : undefined;
  if (isContiguous && agreed === undefined) return { failed: 'height' };
  const offsetSteps = agreed === undefined ? undefined : stepsBetween(format.planes, agreed, limits);
  const pitches = width > limits.maxWidth ? undefined : pitchesOf(format, width, limits, offsetSteps);
  if (pitches === undefined) return { failed: 'width' };

  const rows = agreed ?? alignUpBig(BigInt(height), limits.heightMultiple);
  const planes: PlaneLayout[] = [];
  let end = 0n;
  for (const [i, pitch] of pitches.entries()) {
    const offset = alignUpBig(end, limits.offsetMultiple);
    if (offset > MAX_OFFSET_BYTES) return { failed: 'height' };
    end = offset + BigInt(pitch) * subsampled(rows, format.planes[i]?.vsub ?? 1);
    planes.push({ offset, pitch });
  }
  const size = wholeSize(end, limits);
  return size === undefined ? { failed: 'height' } : { planes, size };
}

/** Gives each plane a descriptor of its own, at whose start it lies; what is asked of a buffer's size holds for each. */
function layoutApart({ format, width, height }: Image, limits: Limits): Geometry {
  if (limits.planesTogether || limits.contiguousRows.length > 0) return { failed: 'height' };
  const pitches = width > limits.maxWidth ? undefined : pitchesOf(format, width, limits);
  if (pitches === undefined) return { failed: 'width' };
  const rows = alignUpBig(BigInt(height), limits.heightMultiple);
  const fdSizes: bigint[] = [];
  for (const [i, pitch] of pitches.entries()) {
    const bytes = wholeSize(BigInt(pitch) * subsampled(rows, format.planes[i]?.vsub ?? 1), limits);
    if (bytes === undefined) return { failed: 'height' };
    fdSizes.push(bytes);
  }
  const size = fdSizes.reduce((sum, bytes) => sum + bytes, 0n);
  if (size > MAX_SIZE_BYTES) return { failed: 'height' };
  return { planes: pitches.map((pitch) => ({ offset: 0n, pitch })), size, fdSizes };
}

const subsampled = (rows: bigint, vsub: number): bigint => (rows + BigInt(vsub) - 1n) / BigInt(vsub);

/** Rows of an image whose planes follow one another at once; undefined where participants count them differently. */
function agreedRows(height: bigint, { heightMultiple, contiguousRows }: Limits): bigint | undefined {
  const rows = alignUpBig(height, contiguousRows[0] ?? 1n);
  const agreed = contiguousRows.every((step) => alignUpBig(height, step) === rows);
  return agreed && rows % heightMultiple === 0n ? rows : undefined;
}

/** Multiples that pitches must be, by plane, so that the next plane begins at a right offset and yet at the end of this one. */
const stepsBetween = (
  planes: readonly PlaneShape[],
  rows: bigint,
  { offsetMultiple }: Limits,
): readonly number[] =>
  planes.slice(0, -1).map(({ vsub }) => {
    const step = offsetMultiple / gcdBig(offsetMultiple, subsampled(rows, vsub));
    return step > MAX_PITCH_BYTES ? Infinity : Number(step);
  });

/** Lays plain bytes out. */
export function layoutBytes(bytes: bigint, limits: Limits): Geometry {
  const size = wholeSize(bytes, limits);
  return size === undefined ? { failed: 'size' } : { planes: [], size };
}

/** @param content bytes that the planes take, or that were asked for */
export function wholeSize(content: bigint, { sizeMultiple, sizeMin, sizeExtra }: Limits): bigint | undefined {
  const end = content + sizeExtra;
  const size = alignUpBig(end > sizeMin ? end : sizeMin, sizeMultiple);
  return size > MAX_SIZE_BYTES ? undefined : size;
}

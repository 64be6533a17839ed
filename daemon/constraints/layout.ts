import { alignUpBig, gcdBig, MAX_PITCH_BYTES, MAX_SIZE_BYTES } from './integers.js';
import type { Limits } from './limits.js';
import { pitchesOf } from './pitch.js';
import type { Image, PlaneLayout } from './constraint-types.js';

/** Where a content's planes lie, or what there is too much of to lay it out. */
export type Geometry =
  | { readonly planes: readonly PlaneLayout[]; readonly size: bigint }
  | { readonly failed: 'width' | 'height' | 'size' };

/** Lays a linear image out: each pitch the smallest that fits, each plane at the first offset that fits. */
export function layoutImage({ format, width, height }: Image, limits: Limits): Geometry {
  const isContiguous = format.planes.length > 1 && limits.contiguousRows.length > 0;
  const rows = height > limits.maxHeight ? undefined : rowsOf(BigInt(height), isContiguous, limits);
  if (rows === undefined) return { failed: 'height' };
  const planeRows = format.planes.map(({ vsub }) => (rows + BigInt(vsub) - 1n) / BigInt(vsub));
  const offsetSteps = isContiguous ? stepsBetween(planeRows, limits) : [];
  const pitches = width > limits.maxWidth ? undefined : pitchesOf(format, width, limits, offsetSteps);
  if (pitches === undefined) return { failed: 'width' };

  const planes: PlaneLayout[] = [];
  let end = 0n;
  for (const [i, pitch] of pitches.entries()) {
    const offset = alignUpBig(end, limits.offsetMultiple);
    end = offset + BigInt(pitch) * (planeRows[i] ?? rows);
    planes.push({ offset, pitch });
  }
  const size = wholeSize(end, limits);
  return size === undefined ? { failed: 'height' } : { planes, size };
}

/** Rows of the image with what they are rounded up to; undefined where participants count them differently. */
function rowsOf(
  height: bigint,
  isContiguous: boolean,
  { heightMultiple, contiguousRows }: Limits,
): bigint | undefined {
  if (!isContiguous) return alignUpBig(height, heightMultiple);
  const rows = alignUpBig(height, contiguousRows[0] ?? 1n);
  const agreed = contiguousRows.every((step) => alignUpBig(height, step) === rows);
  return agreed && rows % heightMultiple === 0n ? rows : undefined;
}

/** Multiples that pitches must be, by plane, so that the next plane begins at a right offset and yet at the end of this one. */
const stepsBetween = (planeRows: readonly bigint[], { offsetMultiple }: Limits): readonly number[] =>
  planeRows.slice(0, -1).map((rows) => {
    const step = offsetMultiple / gcdBig(offsetMultiple, rows);
    return step > MAX_PITCH_BYTES ? Infinity : Number(step);
  });

/** Lays plain bytes out. */
export function layoutBytes(bytes: bigint, limits: Limits): Geometry {
  const size = wholeSize(bytes, limits);
  return size === undefined ? { failed: 'size' } : { planes: [], size };
}

/** @param content bytes that the planes take, or that were asked for */
function wholeSize(content: bigint, { sizeMultiple, sizeMin, sizeExtra }: Limits): bigint | undefined {
  const end = content + sizeExtra;
  const size = alignUpBig(end > sizeMin ? end : sizeMin, sizeMultiple);
  return size > MAX_SIZE_BYTES ? undefined : size;
}

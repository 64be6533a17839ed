import { alignUpBig, MAX_SIZE_BYTES } from './integers.js';
import type { Limits } from './limits.js';
import { pitchesOf } from './pitch.js';
import type { Image, PlaneLayout } from './constraint-types.js';

/** Where a content's planes lie, or what there is too much of to lay it out. */
export type Geometry =
  | { readonly planes: readonly PlaneLayout[]; readonly size: bigint }
  | { readonly failed: 'width' | 'height' | 'size' };

/** Lays a linear image out: each pitch the smallest that fits, each plane at the first offset that fits. */
export function layoutImage({ format, width, height }: Image, limits: Limits): Geometry {
  if (height > limits.maxHeight) return { failed: 'height' };
  const pitches = width > limits.maxWidth ? undefined : pitchesOf(format, width, limits);
  if (pitches === undefined) return { failed: 'width' };

  const rows = alignUpBig(BigInt(height), limits.heightMultiple);
  const planes: PlaneLayout[] = [];
  let end = 0n;
  for (const [i, pitch] of pitches.entries()) {
    const vsub = BigInt(format.planes[i]?.vsub ?? 1);
    const offset = alignUpBig(end, limits.offsetMultiple);
    end = offset + BigInt(pitch) * ((rows + vsub - 1n) / vsub);
    planes.push({ offset, pitch });
  }
  const size = wholeSize(end, limits);
  return size === undefined ? { failed: 'height' } : { planes, size };
}

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

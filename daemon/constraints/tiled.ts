import type { Tiling } from './geometry/tiling.js';
import { alignUp, alignUpBig, MAX_OFFSET_BYTES, MAX_PITCH_BYTES, pitchLcm } from './integers.js';
import { wholeSize, type Geometry } from './layout.js';
import type { Limits } from './limits.js';
import { pitchesOf } from './pitch.js';
import type { Image } from './constraint-types.js';

/**
 * Lays an image out in tiles. What is asked of pitches speaks of the plane of pixels, whose row is one of whole tiles; the
 * pitch of metadata follows from it. Offsets, rows and sizes are as of a linear image, and metadata never has a descriptor
 * of its own.
 */
export function layoutTiled({ format, width, height }: Image, tiling: Tiling, limits: Limits): Geometry {
  if (height > limits.maxHeight) return { failed: 'height' };
  if (width > limits.maxWidth) return { failed: 'width' };
  const bytes = format.planes[0]?.bytes ?? NaN;
  const step = tiling.pitchStep(width);
  const row = alignUp(width * bytes, step);
  if (row > MAX_PITCH_BYTES) return { failed: 'width' };
  const asked = { ...limits, pitchMultiple: pitchLcm(limits.pitchMultiple, step) };
  const [pitch] = pitchesOf(format, row / bytes, asked) ?? [];
  if (pitch === undefined || (tiling.isPitchExact && pitch !== row)) return { failed: 'width' };

  const {
    planes,
    end,
    spare = 0n,
  } = tiling.place(
    { width, rows: alignUpBig(BigInt(height), limits.heightMultiple) },
    { pitch, offsetMultiple: limits.offsetMultiple },
  );
  const isOneFile = !limits.planesApart && limits.contiguousRows.length === 0;
  if (planes.length > 1 && !isOneFile) return { failed: 'height' };
  if (planes.some(({ offset }) => offset > MAX_OFFSET_BYTES)) return { failed: 'height' };
  const size = wholeSize(end + spare, limits);
  return size === undefined ? { failed: 'height' } : { planes, size };
}

import { pixelFormat } from '../constraints/formats.js';
import type { Layout } from '../constraints/constraint-types.js';
import type { Picture } from '../heaps/heap.js';

/** The picture of a layout as a driver makes one: of one plane of whole pixels; undefined of any other. */
export function pictureOf({ image }: Layout): Picture | undefined {
  if (image === undefined) return undefined;
  const [shape, ...more] = pixelFormat(image.format)?.planes ?? [];
  const [plane] = image.planes;
  if (shape === undefined || plane === undefined || more.length > 0) return undefined;
  // A row that has room for more pixels is a row of a wider picture.
  const width = plane.pitch / shape.bytes;
  if (shape.hsub !== 1 || shape.vsub !== 1 || plane.offset !== 0n || !Number.isInteger(width))
    return undefined;
  return { width, height: image.height, bitsPerPixel: 8 * shape.bytes };
}

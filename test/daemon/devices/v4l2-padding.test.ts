import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { pixelFormat } from '../../../daemon/constraints/formats.js';
import { layoutImage } from '../../../daemon/constraints/layout.js';
import { noLimits } from '../../../daemon/constraints/limits.js';
import type { PixelFormat } from '../../../daemon/constraints/constraint-types.js';
import { paddingOf } from '../../../daemon/devices/v4l2-format-probe.js';
import type { V4l2Image } from '../../../daemon/kernel/v4l2.js';

const HEIGHTS = [386, 518, 650];
const shapeOf = (fourcc: string): PixelFormat => {
  const shape = pixelFormat(fourcc);
  if (shape === undefined) throw new Error(fourcc);
  return shape;
};

/** What a driver says whose images have so many rows, and so many bytes behind each other, by the broker's own layout. */
const images = (
  format: PixelFormat,
  rows: number,
  bytes: number,
  extra = 0,
  planesApart = false,
): readonly V4l2Image[] =>
  HEIGHTS.map((height, i) => {
    const width = 640 + 128 * i;
    const limits = {
      ...noLimits(),
      heightMultiple: BigInt(rows),
      sizeMultiple: BigInt(bytes),
      pitchLinked: true,
      planesApart,
    };
    const layout = layoutImage({ format, width, height }, limits);
    if ('failed' in layout) throw new Error(layout.failed);
    const { planes, size, fdSizes = [size] } = layout;
    return {
      fourcc: format.fourcc,
      width,
      height,
      planes: fdSizes.map((bytes, plane) => ({
        bytesPerLine: planes[plane]?.pitch ?? 0,
        size: Number(bytes) + extra,
      })),
    };
  });

describe('paddingOf', () => {
  it('finds a padding with which our layout has room for the image, and no more than the driver has', () => {
    const format = fc.constantFrom('YUYV', 'NV12', 'YU12', 'XR24', 'RG24', 'P010').map(shapeOf);
    const rows = fc.constantFrom(1, 2, 4, 8, 16, 32, 64, 128);
    const bytes = fc.constantFrom(1, 128, 1024, 4096);
    fc.assert(
      fc.property(format, rows, bytes, fc.boolean(), (shape, truth, whole, apart) => {
        const said = images(shape, truth, whole, 0, apart);
        const found = paddingOf(shape, HEIGHTS, said);
        if (found === undefined) throw new Error('nothing explains it');
        expect(images(shape, found.rows, found.bytes, 0, apart)).toEqual(said);
        if (truth === 1 && whole === 1) expect(found).toEqual({ rows: 1, bytes: 1 });
      }),
    );
  });

  it.each([
    ['rows alone', 16, 1, { rows: 16, bytes: 1 }],
    ['the whole alone', 1, 4096, { rows: 1, bytes: 4096 }],
    ['both', 32, 4096, { rows: 32, bytes: 4096 }],
  ])('tells padding of %s', (_, rows, bytes, padding) => {
    expect(paddingOf(shapeOf('NV12'), HEIGHTS, images(shapeOf('NV12'), rows, bytes))).toEqual(padding);
  });

  it('knows none where something else lies behind the image, or less than all of it', () => {
    expect(paddingOf(shapeOf('NV12'), HEIGHTS, images(shapeOf('NV12'), 1, 1, 100))).toBeUndefined();
    expect(paddingOf(shapeOf('NV12'), HEIGHTS, images(shapeOf('NV12'), 1, 1, -100))).toBeUndefined();
  });

  it('says nothing of images in memory planes that are not their own', () => {
    const two = images(shapeOf('NV12'), 16, 1).map((image) => ({
      ...image,
      planes: [...image.planes, ...image.planes],
    }));
    expect(paddingOf(shapeOf('NV12'), HEIGHTS, two)).toBeUndefined();
  });

  it('says nothing where the pitch of a plane does not follow from the first', () => {
    const odd = [{ fourcc: 'YU12', width: 1, height: 386, planes: [{ bytesPerLine: 641, size: 1 }] }];
    expect(paddingOf(shapeOf('YU12'), [386], odd)).toBeUndefined();
  });
});

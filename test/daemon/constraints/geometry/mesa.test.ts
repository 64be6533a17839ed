import { describe, expect, it } from 'vitest';

import { pixelFormat } from '../../../../daemon/constraints/formats.js';
import { tilingOf } from '../../../../daemon/constraints/geometry/index.js';
import type { TiledPlanes, Tiling } from '../../../../daemon/constraints/geometry/tiling.js';
import type { PixelFormat } from '../../../../daemon/constraints/constraint-types.js';
import { leftOut, mesaLayouts, type MesaLayout } from './mesa-layouts.js';

const known = (format: string): PixelFormat => {
  const found = pixelFormat(format);
  if (found === undefined) throw new Error(`no format ${format}`);
  return found;
};

function ours({ format, modifier, width, height }: MesaLayout): TiledPlanes {
  const shape = known(format);
  const tiling: Tiling | undefined = tilingOf(shape, modifier);
  if (tiling === undefined) throw new Error(`${format} has no tiling ${modifier.toString(16)}`);
  const step = tiling.pitchStep(width);
  const row = width * (shape.planes[0]?.bytes ?? NaN);
  const pitch = Math.ceil(row / step) * step;
  return tiling.place({ width, rows: BigInt(height) }, { pitch, offsetMultiple: 1n });
}

/** GPUs that need less than others of their family, which the daemon cannot tell apart by the modifier. */
const NEED_LESS = new Set(['VIVANTE TILED blt', 'ARM AFBC 16x16 arch<6']);

const sections = [...mesaLayouts()];

describe('a tiled layout', () => {
  it.each(sections.filter(([name]) => !NEED_LESS.has(name)))(
    'is that of the driver: %s',
    (_name, layouts) => {
      expect(layouts.length).toBeGreaterThan(20);
      for (const layout of layouts) {
        const { planes, end } = ours(layout);
        expect({ ...layout, planes, size: end }).toEqual(layout);
      }
    },
  );

  it.each(sections.filter(([name]) => NEED_LESS.has(name)))(
    'has room for what the driver needs: %s',
    (_name, layouts) => {
      for (const layout of layouts) {
        const { planes, end } = ours(layout);
        expect(end).toBeGreaterThanOrEqual(layout.size);
        expect(planes.map(({ offset }) => offset)).toEqual([0n]);
        expect(planes[0]?.pitch).toBeGreaterThanOrEqual(layout.planes[0]?.pitch ?? NaN);
      }
    },
  );

  it('is unknown where it depends on more than the modifier, or was not shown', () => {
    const images = leftOut();
    expect(images.length).toBeGreaterThan(200);
    expect(images.filter(({ format, modifier }) => tilingOf(known(format), modifier))).toEqual([]);
  });

  it.each([
    ['two planes', 'NV12', 0x0100_0000_0000_0002n],
    ['two pixels that share their colour', 'YUYV', 0x0100_0000_0000_0001n],
    ['three bytes a pixel', 'RG24', 0x0100_0000_0000_0001n],
    ['half floats in AFBC', 'AB4H', 0x0800_0000_0000_0041n],
    ['AFBC that is not sparse', 'XR24', 0x0800_0000_0000_0001n],
    ['UBWC of one channel', 'R8  ', 0x0500_0000_0000_0001n],
    ['two bytes under compression before gen 12', 'RG16', 0x0100_0000_0000_0004n],
    ['tiles of GFX12', 'XR24', 0x0200_0000_0000_0305n],
    ['linear', 'XR24', 0n],
    ['another vendor', 'XR24', 0x0c00_0000_0000_0001n],
  ])('is unknown of %s', (_what, format, modifier) => {
    expect(tilingOf(known(format), modifier)).toBeUndefined();
  });
});

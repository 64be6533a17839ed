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
    ['compression of a format that was not compared', 'RG88', 0x0100_0000_0000_0006n],
    ['compression of another', 'BG16', 0x0500_0000_0000_0001n],
    ['what a camera sends', 'BA81', 0x0100_0000_0000_0001n],
    ['depth', 'Z16 ', 0x0600_0000_0000_0001n],
    ['whole pixels of YUV', 'AYUV', 0x0100_0000_0000_0002n],
    ['reserved bits of AMD', 'XR24', 0x02ff_ffff_0000_0901n],
    ['AMD blocks without XOR that have its bits', 'XR24', 0x0200_0000_0fe0_0a04n],
    ['AMD blocks with DCC', 'XR24', 0x0200_0000_0040_3901n],
    ['RB bits without DCC', 'XR24', 0x0200_0000_4040_1b03n],
    ['PIPE bits without DCC', 'XR24', 0x0200_0002_0040_1901n],
    ['packers of GFX10', 'XR24', 0x0200_0000_0840_1b02n],
    ['packers of GFX9', 'XR24', 0x0200_0000_0840_1901n],
    ['banks of GFX10_RBPLUS', 'XR24', 0x0200_0000_0140_1b03n],
    ['YTR of one channel', 'R8  ', 0x0800_0000_0000_0051n],
    ['YTR of two channels', 'GR88', 0x0800_0000_0000_0051n],
    ['wide split AFBC of one channel', 'R8  ', 0x0800_0000_0000_0072n],
    ['wide split AFBC of two bytes', 'RG16', 0x0800_0000_0000_0062n],
    ['split AFBC with YTR', 'XR24', 0x0800_0000_0000_0071n],
    ['wide AFBC of four bytes', 'XR24', 0x0800_0000_0000_0042n],
    ['linear', 'XR24', 0n],
    ['another vendor', 'XR24', 0x0c00_0000_0000_0001n],
  ])('is unknown of %s', (_what, format, modifier) => {
    expect(tilingOf(known(format), modifier)).toBeUndefined();
  });
});

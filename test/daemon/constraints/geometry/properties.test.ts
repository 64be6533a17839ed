import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { pixelFormats } from '../../../../daemon/constraints/formats.js';
import { tilingOf } from '../../../../daemon/constraints/geometry/index.js';
import type { TiledPlanes } from '../../../../daemon/constraints/geometry/tiling.js';
import type { PixelFormat } from '../../../../daemon/constraints/constraint-types.js';
import { runs } from '../../../harness/runs.js';
import { mesaLayouts } from './mesa-layouts.js';

interface Sizes {
  readonly width: number;
  readonly rows: number;
  /** Steps by which the pitch is larger than it must be. */
  readonly more: number;
  readonly offsetMultiple: number;
}

const modifiers = [
  ...new Set([...mesaLayouts().values()].flatMap((all) => all.map(({ modifier }) => modifier))),
];
const tiled = pixelFormats().flatMap((format) =>
  modifiers.flatMap((modifier) => {
    const tiling = tilingOf(format, modifier);
    return tiling === undefined ? [] : [{ format, modifier, tiling }];
  }),
);

/** Pixels: a few, everyday sizes, and up to what 32 bits hold. */
const extent = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 8192 }),
  fc.integer({ min: 1, max: 2 ** 32 - 1 }),
);
const sizes: fc.Arbitrary<Sizes> = fc.record({
  width: extent,
  rows: extent,
  more: fc.constantFrom(0, 0, 1, 3),
  offsetMultiple: fc.constantFrom(1, 2, 48, 256, 4096, 65_536, 2 ** 32 - 5),
});
const anyTiling = fc.constantFrom(...tiled);

const bytesOf = ({ planes: [plane] }: PixelFormat): number => plane?.bytes ?? NaN;

type Tiled = (typeof tiled)[number];

function placed({ format, tiling }: Tiled, { width, rows, more, offsetMultiple }: Sizes): TiledPlanes {
  const step = tiling.pitchStep(width);
  const pitch = (Math.ceil((width * bytesOf(format)) / step) + (tiling.isPitchExact ? 0 : more)) * step;
  return tiling.place({ width, rows: BigInt(rows) }, { pitch, offsetMultiple: BigInt(offsetMultiple) });
}

describe('every tiling', () => {
  it('is tried: all families, and formats of each size', () => {
    expect(tiled.length).toBeGreaterThan(500);
    expect(new Set(tiled.map(({ modifier }) => modifier >> 56n))).toEqual(new Set([1n, 2n, 5n, 6n, 8n]));
  });

  it('has a pitch that covers the row, and room for every row of every plane', () => {
    fc.assert(
      fc.property(anyTiling, sizes, (one, size) => {
        const { planes, end, spare = 0n } = placed(one, size);
        const pitch = planes[0]?.pitch ?? 0;
        expect(pitch).toBeGreaterThanOrEqual(size.width * bytesOf(one.format));
        expect(Number.isInteger(pitch)).toBe(true);
        // What is before the first plane of metadata, or the whole, holds all pixels.
        expect(planes[1]?.offset ?? end).toBeGreaterThanOrEqual(BigInt(pitch) * BigInt(size.rows));
        expect(spare).toBeGreaterThanOrEqual(0n);
      }),
      runs(2_000),
    );
  });

  it('has planes that lie one behind the other, at right offsets', () => {
    fc.assert(
      fc.property(anyTiling, sizes, (one, size) => {
        const { planes, end } = placed(one, size);
        expect(planes.length).toBeLessThanOrEqual(4);
        for (const [place, { offset, pitch }] of planes.entries()) {
          expect(offset % BigInt(size.offsetMultiple)).toBe(0n);
          // A plane has a row at least.
          expect(planes[place + 1]?.offset ?? end).toBeGreaterThanOrEqual(offset + BigInt(pitch));
        }
      }),
      runs(2_000),
    );
  });

  it('never needs less for a larger image', () => {
    fc.assert(
      fc.property(anyTiling, sizes, extent, extent, (one, size, width, rows) => {
        const larger = {
          ...size,
          width: Math.max(width, size.width),
          rows: Math.max(rows, size.rows),
        };
        const [small, large] = [placed(one, size), placed(one, larger)];
        expect(large.end).toBeGreaterThanOrEqual(small.end);
        expect(large.end + (large.spare ?? 0n)).toBeGreaterThanOrEqual(small.end + (small.spare ?? 0n));
        expect(large.planes[0]?.pitch).toBeGreaterThanOrEqual(small.planes[0]?.pitch ?? 0);
      }),
      runs(2_000),
    );
  });

  it('has all planes of state as large as the kernel counts them', () => {
    // Linux: a plane of gen 12's state is 64 bytes for 512 bytes × 32 rows, one of gen 9's 128 × 32 for 4096 × 512.
    fc.assert(
      fc.property(anyTiling, sizes, (one, size) => {
        const { planes, end } = placed(one, { ...size, offsetMultiple: 1 });
        const [pixels, state, colour] = planes;
        if (pixels === undefined || state === undefined) return;
        const rows = BigInt(size.rows);
        const needed =
          one.modifier === 0x0100_0000_0000_0004n
            ? ((BigInt(pixels.pitch) + 4095n) / 4096n) * 128n * ((rows + 511n) / 512n) * 32n
            : (BigInt(pixels.pitch) / 512n) * 64n * ((rows + 31n) / 32n);
        expect((colour?.offset ?? end) - state.offset).toBeGreaterThanOrEqual(needed);
      }),
      runs(1_000),
    );
  });
});

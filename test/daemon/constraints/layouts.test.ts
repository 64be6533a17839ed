import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../daemon/constraints/decide.js';
import { pixelFormat, pixelFormats } from '../../../daemon/constraints/formats.js';
import type { Constraint, Image, Layout, Memory } from '../../../daemon/constraints/constraint-types.js';

const anywhere: Memory = {
  handle: 'p-a',
  class: 'scattered',
  contiguous: false,
  protected: false,
  modifiers: [0n],
  addressBits: 36,
};
const origin = { entry: 0, device: '/dev/dri/card0', source: 'client' } as const;

/** The layout, or undefined where there is a conflict. */
function layoutOf(content: Image, constraints: readonly Constraint[]): Layout | undefined {
  const decision = decide({ content, constraints, memories: [anywhere] });
  return decision.feasible ? decision.layout : undefined;
}

const formats = pixelFormats().map((format) => [format.fourcc, format] as const);
/** Sizes that no subsampling divides, and some that each does. */
const edges = [1, 2, 3, 4, 5, 7, 8, 11, 13, 23, 24, 641, 1366, 1920];

describe('a layout without constraints', () => {
  it.each(formats)('of %s rounds rows and columns of pixels up to whole samples', (_fourcc, format) => {
    for (const width of edges) {
      for (const height of edges) {
        let end = 0;
        const planes = format.planes.map(({ hsub, vsub, bytes }) => {
          const [offset, pitch] = [end, Math.ceil(width / hsub) * bytes];
          end += pitch * Math.ceil(height / vsub);
          return { offset: BigInt(offset), pitch };
        });
        expect(layoutOf({ format, width, height }, [])).toEqual({
          image: { format: format.fourcc, modifier: 0n, width, height, planes },
          size: BigInt(end),
        });
      }
    }
  });

  it.each(formats)('of %s has room for every bit of every pixel', (_fourcc, format) => {
    const bits = format.planes.reduce((sum, { hsub, vsub, bytes }) => sum + (bytes * 8) / (hsub * vsub), 0);
    for (const width of edges) {
      const size = layoutOf({ format, width, height: width }, [])?.size ?? 0n;
      expect(Number(size) * 8).toBeGreaterThanOrEqual(Math.floor(bits * width * width));
    }
  });
});

describe('height-multiple', () => {
  it.each(formats)('rounds the rows of %s up before colour is divided', (_fourcc, format) => {
    for (const height of edges) {
      const padded = Math.ceil(height / 6) * 6;
      const asked = layoutOf({ format, width: 24, height }, [{ kind: 'height-multiple', value: 6, origin }]);
      expect(asked?.size).toBe(layoutOf({ format, width: 24, height: padded }, [])?.size);
      expect(asked?.image?.height).toBe(height);
    }
  });
});

const image = fc.record({
  format: fc.constantFrom(...pixelFormats()),
  width: fc.integer({ min: 1, max: 10_000 }),
  height: fc.integer({ min: 1, max: 100 }),
});
const step = fc.integer({ min: 1, max: 1_000 });
const up = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;
const rows = ({ format, width }: Image): readonly number[] =>
  format.planes.map(({ hsub, bytes }) => Math.ceil(width / hsub) * bytes);
const pitches = (layout: Layout | undefined): readonly number[] | undefined =>
  layout?.image?.planes.map(({ pitch }) => pitch);

describe('pitch-exact and pitch-multiple', () => {
  it('give the same pitch when each stands alone', () => {
    fc.assert(
      fc.property(image, step, (content, value) => {
        const expected = rows(content).map((row) => up(row, value));
        expect(pitches(layoutOf(content, [{ kind: 'pitch-exact', value, origin }]))).toEqual(expected);
        expect(pitches(layoutOf(content, [{ kind: 'pitch-multiple', value, origin }]))).toEqual(expected);
      }),
    );
  });

  it('differ beside another multiple: an exact pitch satisfies it or there is none', () => {
    fc.assert(
      fc.property(image, step, step, (content, exact, value) => {
        const multiple: Constraint = { kind: 'pitch-multiple', value, origin };
        const expected = rows(content).map((row) => up(row, exact));
        expect(pitches(layoutOf(content, [{ kind: 'pitch-exact', value: exact, origin }, multiple]))).toEqual(
          expected.every((pitch) => pitch % value === 0) ? expected : undefined,
        );
        const both = layoutOf(content, [{ kind: 'pitch-multiple', value: exact, origin }, multiple]);
        for (const [plane, pitch] of (pitches(both) ?? [NaN]).entries()) {
          expect([pitch % exact, pitch % value]).toEqual([0, 0]);
          expect(pitch).toBeGreaterThanOrEqual(expected[plane] ?? NaN);
        }
      }),
    );
  });
});

describe('pitch-linked', () => {
  it('makes the pitch of the colours of YU12 half of a pitch that may have to grow for it', () => {
    const format = pixelFormat('YU12');
    expect(format).toBeDefined();
    if (format === undefined) {
      return;
    }
    const linked: Constraint = { kind: 'pitch-linked', value: true, origin };
    expect(pitches(layoutOf({ format, width: 641, height: 2 }, []))).toEqual([641, 321, 321]);
    expect(pitches(layoutOf({ format, width: 641, height: 2 }, [linked]))).toEqual([642, 321, 321]);
    expect(
      pitches(
        layoutOf({ format, width: 641, height: 2 }, [linked, { kind: 'pitch-multiple', value: 64, origin }]),
      ),
    ).toEqual([768, 384, 384]);
    expect(
      layoutOf({ format, width: 641, height: 2 }, [linked, { kind: 'pitch-exact', value: 1, origin }]),
    ).toBe(undefined);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pixelFormat, pixelFormats } from '../../../daemon/constraints/formats.js';
import { findV4l2Format } from '../../../daemon/devices/v4l2-formats.js';

/** What the kernel's own tables say: the file names its sources. */
interface Facts {
  readonly drm: Readonly<Record<string, DrmFacts>>;
  readonly v4l2: Readonly<Record<string, V4l2Facts>>;
  readonly packed: Readonly<Record<string, { readonly bytes: number; readonly pixels: number }>>;
}
interface DrmFacts {
  readonly bytes: readonly number[];
  readonly blockWidth: readonly number[];
  readonly blockHeight: readonly number[];
  readonly hsub: number;
  readonly vsub: number;
}
interface V4l2Facts {
  readonly buffers: number;
  readonly bytes: readonly number[];
  readonly per: readonly number[];
  readonly hdiv: number;
  readonly vdiv: number;
}

const FACTS = JSON.parse(
  readFileSync(new URL('../../fixtures/formats.json', import.meta.url), 'utf8'),
) as Facts;

/** Each plane's bytes a row and how many rows of the image share one of its own, at a width that every block divides. */
const WIDTH = 2 ** 4 * 3 * 25;
const planesOf = (fourcc: string) =>
  pixelFormat(fourcc)?.planes.map(({ bytes, hsub, vsub }) => [(WIDTH / hsub) * bytes, vsub]);

/** Formats of DRM that have no linear layout, or one in tiles. */
const notLinear = ({ bytes, blockHeight }: DrmFacts): boolean =>
  bytes.every((count) => count === 0) || blockHeight.some((rows) => rows > 1);

/** In drm_fourcc.h of Linux 6.12 or later, and without a row in its table. */
const YOUNGER =
  'R16,R  H,RG88,GR88,RG32,GR32,GR H,R  F,AVUY,XVUY,BGRH,GR F,BGRF,AB8F,S010,S012,S016,S210,S212,S216,S410,S412,S416';

/** V4L2's formats that have no name here. */
const NAMELESS = ['HSV3', 'HSV4', 'RGBO', 'BGRH', 'B312', 'B412', 'Y312'];

describe('the formats, against the tables of the kernel', () => {
  it.each(Object.entries(FACTS.drm))('%s has the planes that DRM gives it', (fourcc, facts) => {
    const { bytes, blockWidth, hsub, vsub } = facts;
    expect(planesOf(fourcc)).toEqual(
      notLinear(facts)
        ? undefined
        : bytes.map((count, i) => [
            (WIDTH / (i === 0 ? 1 : hsub) / (blockWidth[i] ?? NaN)) * count,
            i === 0 ? 1 : vsub,
          ]),
    );
  });

  it.each(Object.entries(FACTS.drm))('%s has rows of whole blocks at odd widths', (fourcc, facts) => {
    const [first] = pixelFormat(fourcc)?.planes ?? [];
    if (first === undefined) return;
    for (const width of [1, 1365, 1366, 1921]) {
      const own = Math.ceil(width / first.hsub) * first.bytes;
      const least = Math.ceil((width * (facts.bytes[0] ?? NaN)) / (facts.blockWidth[0] ?? NaN));
      expect(own).toBeGreaterThanOrEqual(least);
      expect(own - least).toBeLessThan(first.bytes);
    }
  });

  it.each(Object.entries(FACTS.v4l2))('%s has the planes that V4L2 gives it', (v4l2, facts) => {
    const format = findV4l2Format(v4l2);
    expect(format === undefined).toBe(NAMELESS.includes(v4l2));
    if (format === undefined) return;
    expect(format.buffers).toBe(facts.buffers);
    expect(planesOf(format.drm)).toEqual(
      facts.bytes.map((count, i) => [
        ((WIDTH / (i === 0 ? 1 : facts.hdiv)) * count) / (facts.per[i] ?? NaN),
        i === 0 ? 1 : facts.vdiv,
      ]),
    );
  });

  it.each(Object.entries(FACTS.packed))('%s is packed as V4L2 describes it', (v4l2, { bytes, pixels }) => {
    const planes = pixelFormat(findV4l2Format(v4l2)?.drm ?? '')?.planes;
    expect(planes).toEqual([{ bytes, hsub: pixels, vsub: 1 }]);
  });

  it('are all in those tables, but for those of DRM that it has no row for yet', () => {
    const listed = new Set([
      ...Object.keys(FACTS.drm),
      ...[...Object.keys(FACTS.v4l2), ...Object.keys(FACTS.packed)].map((code) => findV4l2Format(code)?.drm),
    ]);
    const rest = pixelFormats().flatMap(({ fourcc }) => (listed.has(fourcc) ? [] : [fourcc.trimEnd()]));
    expect(rest.join()).toBe(YOUNGER);
  });
});

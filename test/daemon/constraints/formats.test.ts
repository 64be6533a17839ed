import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pixelFormat, pixelFormats } from '../../../daemon/constraints/formats.js';

interface HeaderFormat {
  readonly fourcc: string;
  /** The comment that stands on the format's own line. */
  readonly comment: string;
}

/** The formats that a `drm_fourcc.h` defines. */
function readHeader(text: string): readonly HeaderFormat[] {
  const line =
    /^#define\s+DRM_FORMAT_\w+\s+fourcc_code\('(.)',\s*'(.)',\s*'(.)',\s*'(.)'\)\s*(?:\/\*(.*)\*\/)?/gm;
  return [...text.matchAll(line)].map(([, a = '', b = '', c = '', d = '', comment = '']) => ({
    fourcc: a + b + c + d,
    comment,
  }));
}

/** V4L2's codes of camera raw, and the two that it shares with DRM under the names that they have here. */
const KERNEL = JSON.parse(
  readFileSync(new URL('../../fixtures/formats.json', import.meta.url), 'utf8'),
) as Record<'v4l2' | 'packed', Readonly<Record<string, unknown>>>;
const ofV4l2 = new Set([...Object.keys(KERNEL.v4l2), ...Object.keys(KERNEL.packed), 'GR12', 'RGB6']);

const headerPath = ['/usr/include/libdrm/drm_fourcc.h', '/usr/include/drm/drm_fourcc.h'].find((path) =>
  existsSync(path),
);
const header = headerPath === undefined ? [] : readHeader(readFileSync(headerPath, 'utf8'));

/** Formats that Linux got after the oldest header that a supported distribution ships (libdrm 2.4.114). */
const younger = new Set(
  'C1  ,C2  ,C4  ,D1  ,D2  ,D4  ,D8  ,R1  ,R2  ,R4  ,AVUY,XVUY,NV20,NV30,RG48,BG48,R  H,GR H,BGRH,R  F,GR F,BGRF,AB8F'
    .concat(',S010,S012,S016,S210,S212,S216,S410,S412,S416')
    .split(','),
);

/** What the header says of a few formats of every sort; of each plane the pixels across and down, and the bytes. */
const facts: readonly (readonly [fourcc: string, ...planes: readonly string[]])[] = [
  ['R1  ', '8×1 1'],
  ['R2  ', '4×1 1'],
  ['R4  ', '2×1 1'],
  ['R8  ', '1×1 1'],
  ['RG16', '1×1 2'],
  ['RG24', '1×1 3'],
  ['XR24', '1×1 4'],
  ['RG48', '1×1 6'],
  ['AB4H', '1×1 8'],
  ['R  H', '1×1 2'],
  ['BGRF', '1×1 12'],
  ['AB8F', '1×1 16'],
  ['YUYV', '2×1 4'],
  ['Y210', '2×1 8'],
  ['R5A8', '1×1 2', '1×1 1'],
  ['R8A8', '1×1 3', '1×1 1'],
  ['XRA8', '1×1 4', '1×1 1'],
  ['NV12', '1×1 1', '2×2 2'],
  ['NV42', '1×1 1', '1×1 2'],
  ['P210', '1×1 2', '2×1 4'],
  ['NV15', '4×1 5', '4×2 5'],
  ['NV20', '4×1 5', '4×1 5'],
  ['NV30', '4×1 5', '2×1 5'],
  ['P030', '3×1 4', '6×2 8'],
  ['YVU9', '1×1 1', '4×4 1', '4×4 1'],
  ['YU11', '1×1 1', '4×1 1', '4×1 1'],
  ['Q401', '1×1 2', '1×1 2', '1×1 2'],
  ['S210', '1×1 2', '2×1 2', '2×1 2'],
];

describe('pixelFormats', () => {
  it('names each format once, in four characters', () => {
    const codes = pixelFormats().map((format) => format.fourcc);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.filter((code) => code.length !== 4)).toEqual([]);
  });

  it('gives one to three planes of whole, positive numbers', () => {
    for (const { fourcc, planes } of pixelFormats()) {
      expect([1, 2, 3], fourcc).toContain(planes.length);
      for (const { hsub, vsub, bytes } of planes) {
        expect(
          [hsub, vsub, bytes].every((n) => Number.isInteger(n) && n >= 1),
          fourcc,
        ).toBe(true);
      }
    }
  });

  it.skipIf(header.length === 0)('knows no code that neither DRM nor V4L2 defines', () => {
    const defined = new Set(header.map((format) => format.fourcc));
    const codes = pixelFormats().map((format) => format.fourcc);
    expect(codes.filter((code) => !defined.has(code) && !younger.has(code) && !ofV4l2.has(code))).toEqual([]);
  });

  it.skipIf(header.length === 0)('takes as many bytes for a sample as the header says', () => {
    const sampleBits = /^ \[(\d+):0\]/;
    const read = header.flatMap(({ fourcc, comment }) => {
      const top = sampleBits.exec(comment)?.[1];
      return top === undefined ? [] : [{ fourcc, bytes: (Number(top) + 1) / 8 }];
    });
    expect(read.length).toBeGreaterThan(70);
    for (const { fourcc, bytes } of read) {
      const format = pixelFormat(fourcc);
      if (format !== undefined) {
        expect(format.planes.map((plane) => plane.bytes)).toEqual([bytes]);
      }
    }
  });

  it.skipIf(header.length === 0)('divides colour as the header says', () => {
    const subsampling = / (?:(\d)x(\d) |non-)subsampled .*?(planes?)\b/;
    const read = header.flatMap(({ fourcc, comment }) => {
      const [found, across = '1', down = '1', colours] = subsampling.exec(comment) ?? [];
      return found === undefined
        ? []
        : [{ fourcc, across: Number(across), down: Number(down), planes: colours === 'planes' ? 3 : 2 }];
    });
    expect(read.length).toBeGreaterThan(20);
    for (const { fourcc, across, down, planes } of read) {
      const [luma, ...colours] = pixelFormat(fourcc)?.planes ?? [];
      expect(1 + colours.length, fourcc).toBe(planes);
      for (const colour of colours) {
        // A plane of both colours holds two values where one of brightness stands; samples of several pixels keep that ratio.
        const values = (colour.bytes / colour.hsub / ((luma?.bytes ?? 0) / (luma?.hsub ?? 1))) * across;
        expect(values, fourcc).toBeCloseTo(planes === 3 ? 1 : 2);
        expect(colour.vsub, fourcc).toBe(down);
      }
    }
  });
});

describe('pixelFormat', () => {
  it.each(facts)('lays out %s as the header describes it', (fourcc, ...planes) => {
    const found = pixelFormat(fourcc)?.planes.map(({ hsub, vsub, bytes }) => `${hsub}×${vsub} ${bytes}`);
    expect(found).toEqual(planes);
  });

  it('finds every format that there is', () => {
    for (const format of pixelFormats()) {
      expect(pixelFormat(format.fourcc)).toBe(format);
    }
  });

  it.each(['VU30', 'YU08', 'YU10', 'Y0L0', 'X0L0', 'Y0L2', 'X0L2'])(
    'has no linear layout for %s',
    (fourcc) => {
      expect(pixelFormat(fourcc)).toBeUndefined();
    },
  );

  it.each(['', 'R8', 'XR2', 'XR24 ', 'xr24', 'ZZZZ', '__proto__', 'constructor'])(
    'does not know %j',
    (code) => {
      expect(pixelFormat(code)).toBeUndefined();
    },
  );
});

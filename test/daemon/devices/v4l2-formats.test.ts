import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { pixelFormat } from '../../../daemon/constraints/formats.js';
import { findV4l2Format, V4L2_FORMATS } from '../../../daemon/devices/v4l2-formats.js';

const VIDEODEV2 = '/usr/include/linux/videodev2.h';
const DRM_FOURCC = ['/usr/include/drm/drm_fourcc.h', '/usr/include/libdrm/drm_fourcc.h'].find(existsSync);

/** Names by code, of a header's lines `#define PREFIX_NAME … fourcc('A', 'B', 'C', 'D')`. */
function codesOf(header: string, prefix: string): ReadonlyMap<string, string> {
  const lines = readFileSync(header, 'utf8').matchAll(
    new RegExp(
      `^#define ${prefix}(\\w+)\\s+\\w*fourcc(?:_code)?\\('(.)',\\s*'(.)',\\s*'(.)',\\s*'(.)'\\)`,
      'gm',
    ),
  );
  return new Map([...lines].map(([, name = '', ...code]) => [code.join(''), name]));
}

/**
 * The same format under the two systems' names. V4L2 puts 24- and 32-bit RGB in the order of bytes, DRM in the order of
 * bits from the highest, which turns the names round.
 */
const PAIRS: readonly (readonly [v4l2: string, drm: string])[] = [
  ['RGB24', 'BGR888'],
  ['BGR24', 'RGB888'],
  ['ABGR32', 'ARGB8888'],
  ['XBGR32', 'XRGB8888'],
  ['BGRA32', 'RGBA8888'],
  ['BGRX32', 'RGBX8888'],
  ['RGBA32', 'ABGR8888'],
  ['RGBX32', 'XBGR8888'],
  ['ARGB32', 'BGRA8888'],
  ['XRGB32', 'BGRX8888'],
  ['BGR32', 'XRGB8888'],
  ['RGB32', 'BGRX8888'],
  ['RGB332', 'RGB332'],
  ['RGB565', 'RGB565'],
  ...['ARGB', 'XRGB', 'ABGR', 'XBGR', 'RGBA', 'RGBX', 'BGRA', 'BGRX'].map(
    (order) => [`${order}444`, `${order}4444`] as const,
  ),
  ...['ARGB', 'XRGB', 'ABGR', 'XBGR'].map((order) => [`${order}555`, `${order}1555`] as const),
  ...['RGBA', 'RGBX', 'BGRA', 'BGRX'].map((order) => [`${order}555`, `${order}5551`] as const),
  ['GREY', 'R8'],
  ['Y10', 'R10'],
  ['Y12', 'R12'],
  ['Y16', 'R16'],
  ['PAL8', 'C8'],
  ['VUYA32', 'AYUV'],
  ['VUYX32', 'XYUV8888'],
  ['YUV24', 'VUY888'],
  ...['YUYV', 'YVYU', 'UYVY', 'VYUY'].map((name) => [name, name] as const),
  ...['NV12', 'NV21', 'NV16', 'NV61', 'NV24', 'NV42', 'P010'].map((name) => [name, name] as const),
  ...['NV12', 'NV21', 'NV16', 'NV61'].map((name) => [`${name}M`, name] as const),
  ...['YUV410', 'YVU410', 'YUV420', 'YVU420'].map((name) => [name, name] as const),
  ['YUV411P', 'YUV411'],
  ['YUV422P', 'YUV422'],
  ...['YUV420', 'YVU420', 'YUV422', 'YVU422', 'YUV444', 'YVU444'].map((name) => [`${name}M`, name] as const),
  ['NV12_32L32', 'NV12'],
  ['NV12MT', 'NV12'],
  ['NV12MT_16X16', 'NV12'],
  ['QC08C', 'NV12'],
];

/** Newer than the headers that a stable distribution has. */
const NEWER = new Set(
  'RX30,RA30,AR30,Y210,Y212,Y216,NV15,NV20,P012,PM12,RGB6,BGR6,Y012,Y12P,Y14P'.split(','),
);

describe('the V4L2 formats', () => {
  it('name each code once', () => {
    const codes = V4L2_FORMATS.map(({ v4l2 }) => v4l2);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) expect(findV4l2Format(code)?.v4l2).toBe(code);
  });

  it.each(V4L2_FORMATS)('$v4l2 is a format of DRM that $buffers buffers can hold', ({ drm, buffers }) => {
    const format = pixelFormat(drm);
    expect(format).toBeDefined();
    expect(buffers === 1 || buffers === format?.planes.length).toBe(true);
  });

  it('do not take a code for what it means in DRM', () => {
    // Bayer to V4L2, RGB to DRM.
    expect(findV4l2Format('RG16')?.drm).toBe('RGB6');
    expect(findV4l2Format('BA12')?.drm).toBe('GR12');
    // AYUV and XYUV are in the order of bytes to V4L2.
    for (const code of ['AYUV', 'XYUV', 'MJPG', 'H264']) expect(findV4l2Format(code)).toBeUndefined();
  });

  it.skipIf(!existsSync(VIDEODEV2) || DRM_FOURCC === undefined)('pair what the headers name alike', () => {
    const v4l2 = codesOf(VIDEODEV2, 'V4L2_PIX_FMT_');
    const drm = codesOf(DRM_FOURCC ?? '', 'DRM_FORMAT_');
    const named = V4L2_FORMATS.filter((format) => !NEWER.has(format.v4l2) && drm.has(format.drm)).map(
      (format) => `${v4l2.get(format.v4l2) ?? format.v4l2} ${drm.get(format.drm) ?? format.drm}`,
    );
    expect(named.toSorted()).toEqual(PAIRS.map((pair) => pair.join(' ')).toSorted());
  });

  it.skipIf(!existsSync(VIDEODEV2) || DRM_FOURCC === undefined)(
    'have the code of V4L2 where DRM has no format, and no code twice',
    () => {
      const v4l2 = codesOf(VIDEODEV2, 'V4L2_PIX_FMT_');
      const drm = codesOf(DRM_FOURCC ?? '', 'DRM_FORMAT_');
      const raw = V4L2_FORMATS.filter((format) => !NEWER.has(format.v4l2) && !drm.has(format.drm));
      for (const { v4l2: code, drm: name } of raw) {
        expect(v4l2.get(code)).toMatch(/^(IPU3_)?(S(BGGR|GBRG|GRBG|RGGB)\d|Y\d|Z16)/);
        expect(name).toBe({ BA12: 'GR12', RG16: 'RGB6' }[code] ?? code);
      }
      expect(raw.length).toBeGreaterThan(50);
    },
  );

  it.skipIf(!existsSync(VIDEODEV2))(
    'have no other name in the header where the code is newer than it',
    () => {
      const v4l2 = codesOf(VIDEODEV2, 'V4L2_PIX_FMT_');
      for (const code of NEWER)
        expect(v4l2.get(code) ?? 'newer').toMatch(
          /^(newer|RGBX1010102|RGBA1010102|ARGB2101010|Y21\d|NV15|NV20|P012M?|RGB48|BGR48|Y012|Y1[24]P)$/,
        );
    },
  );
});

import { LINEAR } from '../constraints/constraint-types.js';

/**
 * V4L2 pixel formats and our names of the formats that lay the same bytes in memory: DRM's, and where DRM has none
 * (camera raw) V4L2's. The two systems share many codes but not their meaning: V4L2 names RGB formats by the order of
 * bytes in memory, DRM by the order of bits in a little-endian word, and V4L2's Bayer codes take two of DRM's RGB (`RG16`,
 * `BA12`). What is not in the table has no such name: compressed and big-endian formats, and YUV in orders that DRM lacks.
 */
export interface V4l2Format {
  /** Fourcc of videodev2.h, with its trailing spaces. */
  readonly v4l2: string;
  /** The format's name in constraints/formats.ts, with its trailing spaces. */
  readonly drm: string;
  readonly modifier: bigint;
  /** Buffers that hold one image: with more than one, each plane has a buffer of its own (the `M` formats). */
  readonly buffers: number;
}

/** Codes that DRM spells the same and means the same by. */
const SAME = [
  ...['AR12', 'XR12', 'AB12', 'XB12', 'RA12', 'RX12', 'BX12'],
  ...['AR15', 'XR15', 'AB15', 'XB15', 'RA15', 'RX15', 'BA15', 'BX15'],
  ...['AR24', 'XR24', 'AB24', 'XB24', 'RA24', 'RX24', 'BA24', 'BX24'],
  ...['RX30', 'RA30', 'AR30'],
  ...['YUYV', 'YVYU', 'UYVY', 'VYUY', 'Y210', 'Y212', 'Y216'],
  ...['NV12', 'NV21', 'NV16', 'NV61', 'NV24', 'NV42', 'NV15', 'NV20', 'P010', 'P012'],
  ...['YUV9', 'YVU9', 'YU12', 'YV12'],
];

/** Camera raw, which DRM has no formats for, in the orders BGGR, GBRG, GRBG and RGGB; then brightness and depth. */
const RAW = [
  ...['BA81', 'GBRG', 'GRBG', 'RGGB', 'aBA8', 'aGA8', 'agA8', 'aRA8', 'bBA8', 'bGA8', 'BD10', 'bRA8'],
  ...['BG10', 'GB10', 'BA10', 'RG10', 'BG12', 'GB12', 'RG12', 'BG14', 'GB14', 'GR14', 'RG14'],
  ...['BYR2', 'GB16', 'GR16'],
  ...['pBAA', 'pGAA', 'pgAA', 'pRAA', 'pBCC', 'pGCC', 'pgCC', 'pRCC', 'pBEE', 'pGEE', 'pgEE', 'pREE'],
  ...['ip3b', 'ip3g', 'ip3G', 'ip3r', 'ip3y'],
  ...['Y04 ', 'Y06 ', 'Y012', 'Y14 ', 'Y10B', 'Y10P', 'Y12P', 'Y14P', 'Z16 ', 'Y8I ', 'Y12I'],
];

/** V4L2, DRM, buffers. */
const RENAMED: readonly (readonly [v4l2: string, drm: string, buffers?: number])[] = [
  ['RGB1', 'RGB8'],
  ['RGBP', 'RG16'],
  // V4L2's RGB24 has red first in memory; DRM's RGB888 has blue there.
  ['RGB3', 'BG24'],
  ['BGR3', 'RG24'],
  ['GA12', 'BA12'],
  // V4L2's SGRBG12 and SRGGB16, whose codes are DRM's BGRA4444 and RGB565.
  ['BA12', 'GR12'],
  ['RG16', 'RGB6'],
  // 16 bits a colour, as above.
  ['RGB6', 'BG48'],
  ['BGR6', 'RG48'],
  // Older names with an alpha that is not defined.
  ['BGR4', 'XR24'],
  ['RGB4', 'BX24'],
  ['GREY', 'R8  '],
  ['Y10 ', 'R10 '],
  ['Y12 ', 'R12 '],
  ['Y16 ', 'R16 '],
  ['PAL8', 'C8  '],
  // DRM's AYUV is V4L2's VUYA; V4L2's own AYUV has no DRM format.
  ['VUYA', 'AYUV'],
  ['VUYX', 'XYUV'],
  ['YUV3', 'VU24'],
  ['411P', 'YU11'],
  ['422P', 'YU16'],
  ['NM12', 'NV12', 2],
  ['NM21', 'NV21', 2],
  ['NM16', 'NV16', 2],
  ['NM61', 'NV61', 2],
  ['PM12', 'P012', 2],
  ['YM12', 'YU12', 3],
  ['YM21', 'YV12', 3],
  ['YM16', 'YU16', 3],
  ['YM61', 'YV16', 3],
  ['YM24', 'YU24', 3],
  ['YM42', 'YV24', 3],
];

/** Formats whose code says how the image is tiled. */
const TILED: readonly V4l2Format[] = [
  // 32 × 32 tiles: DRM_FORMAT_MOD_ALLWINNER_TILED.
  { v4l2: 'ST12', drm: 'NV12', modifier: 0x0900_0000_0000_0001n, buffers: 1 },
  // 64 × 32 and 16 × 16 tiles: DRM_FORMAT_MOD_SAMSUNG_64_32_TILE and _16_16_TILE.
  { v4l2: 'TM12', drm: 'NV12', modifier: 0x0400_0000_0000_0001n, buffers: 2 },
  { v4l2: 'VM12', drm: 'NV12', modifier: 0x0400_0000_0000_0002n, buffers: 2 },
  // UBWC: DRM_FORMAT_MOD_QCOM_COMPRESSED.
  { v4l2: 'Q08C', drm: 'NV12', modifier: 0x0500_0000_0000_0001n, buffers: 1 },
];

export const V4L2_FORMATS: readonly V4l2Format[] = [
  ...[...SAME, ...RAW].map((code) => ({ v4l2: code, drm: code, modifier: LINEAR, buffers: 1 })),
  ...RENAMED.map(([v4l2, drm, buffers = 1]) => ({ v4l2, drm, modifier: LINEAR, buffers })),
  ...TILED,
];

const BY_CODE: ReadonlyMap<string, V4l2Format> = new Map(V4L2_FORMATS.map((format) => [format.v4l2, format]));

/** What there is of a V4L2 fourcc (`YUYV`, `GREY`), or undefined when it has no name here. */
export const findV4l2Format = (v4l2: string): V4l2Format | undefined => BY_CODE.get(v4l2);

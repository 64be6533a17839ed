/**
 * The formats with a linear layout. Their names are the fourccs of `include/uapi/drm/drm_fourcc.h` of Linux. Formats that
 * the header gives to non-linear modifiers alone (`VU30`, `YU08`, `YU10`) are not here, nor are the 2 × 2 tiles of `Y0L0`,
 * `X0L0`, `Y0L2` and `X0L2`: the kernel counts their pitch by the pixel row, although two rows of pixels share one row of
 * samples.
 *
 * DRM has no formats for what a camera's sensor sends, so those have V4L2's fourccs, of `include/uapi/linux/videodev2.h`,
 * except two that DRM gives to an RGB format: SGRBG12 is `GR12` here (V4L2: `BA12`, DRM's BGRA4444), in the way in which
 * V4L2 names 14 and 16 bits, and SRGGB16 is `RGB6` (V4L2: `RG16`, DRM's RGB565), as in libcamera.
 */
import type { PixelFormat, PlaneShape } from './constraint-types.js';

const sample = (bytes: number, hsub = 1, vsub = 1): PlaneShape => ({ hsub, vsub, bytes });

/** One plane of brightness, then one for each of the two colours. */
const planar = (bytes: number, hsub: number, vsub: number): readonly PlaneShape[] => [
  sample(bytes),
  sample(bytes, hsub, vsub),
  sample(bytes, hsub, vsub),
];

/** Names are parted by commas, because some have spaces in them. */
const shapes: readonly (readonly [planes: readonly PlaneShape[], fourccs: string])[] = [
  // Less than a byte for a pixel
  [[sample(1, 8)], 'C1,D1,R1'],
  [[sample(1, 4)], 'C2,D2,R2'],
  [[sample(1, 2)], 'C4,D4,R4'],

  // Whole bytes for a pixel
  [[sample(1)], 'C8,D8,R8,RGB8,BGR8'],
  [[sample(2)], 'R10,R12,R16,R  H,RG88,GR88'],
  [[sample(2)], 'XR12,XB12,RX12,BX12,AR12,AB12,RA12,BA12'],
  [[sample(2)], 'XR15,XB15,RX15,BX15,AR15,AB15,RA15,BA15,RG16,BG16'],
  [[sample(3)], 'RG24,BG24,VU24'],
  [[sample(4)], 'XR24,XB24,RX24,BX24,AR24,AB24,RA24,BA24'],
  [[sample(4)], 'XR30,XB30,RX30,BX30,AR30,AB30,RA30,BA30'],
  [[sample(4)], 'RG32,GR32,GR H,R  F,AYUV,AVUY,XYUV,XVUY,Y410,XV30'],
  [[sample(6)], 'RG48,BG48,BGRH'],
  [[sample(8)], 'XR48,XB48,AR48,AB48,XR4H,XB4H,AR4H,AB4H,AB10,GR F,Y412,Y416,XV36,XV48'],
  [[sample(12)], 'BGRF'],
  [[sample(16)], 'AB8F'],

  // Two pixels that share their colour
  [[sample(4, 2)], 'YUYV,YVYU,UYVY,VYUY'],
  [[sample(8, 2)], 'Y210,Y212,Y216'],

  // RGB, then alpha
  [[sample(2), sample(1)], 'R5A8,B5A8'],
  [[sample(3), sample(1)], 'R8A8,B8A8'],
  [[sample(4), sample(1)], 'XRA8,XBA8,RXA8,BXA8'],

  // Brightness, then both colours in turn
  [[sample(1), sample(2, 2, 2)], 'NV12,NV21'],
  [[sample(1), sample(2, 2)], 'NV16,NV61'],
  [[sample(1), sample(2)], 'NV24,NV42'],
  [[sample(2), sample(4, 2, 2)], 'P010,P012,P016'],
  [[sample(2), sample(4, 2)], 'P210'],
  // Four 10-bit values in 5 bytes
  [[sample(5, 4), sample(5, 4, 2)], 'NV15'],
  [[sample(5, 4), sample(5, 4)], 'NV20'],
  [[sample(5, 4), sample(5, 2)], 'NV30'],
  // Three 10-bit values in 4 bytes
  [[sample(4, 3), sample(8, 6, 2)], 'P030'],

  // A plane for each
  [planar(1, 4, 4), 'YUV9,YVU9'],
  [planar(1, 4, 1), 'YU11,YV11'],
  [planar(1, 2, 2), 'YU12,YV12'],
  [planar(1, 2, 1), 'YU16,YV16'],
  [planar(1, 1, 1), 'YU24,YV24'],
  [planar(2, 2, 2), 'S010,S012,S016'],
  [planar(2, 2, 1), 'S210,S212,S216'],
  [planar(2, 1, 1), 'S410,S412,S416,Q410,Q401'],

  // Camera raw, in the orders BGGR, GBRG, GRBG and RGGB: 8 bits, and 10 that A-law or DPCM makes 8 of
  [[sample(1)], 'BA81,GBRG,GRBG,RGGB,aBA8,aGA8,agA8,aRA8,bBA8,bGA8,BD10,bRA8'],
  // 10, 12, 14 and 16 bits, each in 2 bytes
  [[sample(2)], 'BG10,GB10,BA10,RG10,BG12,GB12,GR12,RG12,BG14,GB14,GR14,RG14,BYR2,GB16,GR16,RGB6'],
  // MIPI CSI-2's packing of 10, 12 and 14 bits: the high bytes of a few pixels, then their low bits
  [[sample(5, 4)], 'pBAA,pGAA,pgAA,pRAA'],
  [[sample(3, 2)], 'pBCC,pGCC,pgCC,pRCC'],
  [[sample(7, 4)], 'pBEE,pGEE,pgEE,pREE'],
  // Intel's IPU3: 25 pixels of 10 bits in 32 bytes
  [[sample(32, 25)], 'ip3b,ip3g,ip3G,ip3r,ip3y'],
  // Brightness alone, where DRM has no format of the same bytes; the depth of a scene; left and right in turn
  [[sample(1)], 'Y04,Y06'],
  [[sample(2)], 'Y012,Y14,Z16,Y8I'],
  [[sample(3)], 'Y12I'],
  [[sample(5, 4)], 'Y10P,Y10B'],
  [[sample(3, 2)], 'Y12P'],
  [[sample(7, 4)], 'Y14P'],
];

const known: readonly PixelFormat[] = shapes.flatMap(([planes, fourccs]) =>
  fourccs.split(',').map((code) => ({ fourcc: code.padEnd(4), planes })),
);

const byFourcc: ReadonlyMap<string, PixelFormat> = new Map(known.map((format) => [format.fourcc, format]));

/** The format of a name of four characters, trailing spaces kept (`R8  `); undefined when it has no linear layout. */
export function pixelFormat(fourcc: string): PixelFormat | undefined {
  return byFourcc.get(fourcc);
}

/** Every format that has a linear layout. */
export function pixelFormats(): readonly PixelFormat[] {
  return known;
}

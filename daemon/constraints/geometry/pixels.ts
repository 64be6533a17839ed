import type { PixelFormat } from '../constraint-types.js';

const names = (...lists: readonly string[]): ReadonlySet<string> =>
  new Set(lists.flatMap((list) => list.split(',')).map((name) => name.padEnd(4)));

/**
 * Colours in one plane of 1, 2, 4 or 8 bytes a pixel, as `drm_fourcc.h` names them. Plain tiles look at nothing but those
 * bytes.
 */
const COLOURS = names(
  'R8,R10,R12,R16,R  H,R  F',
  'RG88,GR88,RG32,GR32,GR H,GR F',
  'RGB8,BGR8,RG16,BG16',
  'XR12,XB12,RX12,BX12,AR12,AB12,RA12,BA12',
  'XR15,XB15,RX15,BX15,AR15,AB15,RA15,BA15',
  'XR24,XB24,RX24,BX24,AR24,AB24,RA24,BA24',
  'XR30,XB30,RX30,BX30,AR30,AB30,RA30,BA30',
  'XR48,XB48,AR48,AB48,XR4H,XB4H,AR4H,AB4H,AB10',
);

/** Bytes of a pixel of a colour format; undefined for YUV, depth and what a camera's sensor sends. */
export const pixelBytes = ({ fourcc, planes }: PixelFormat): number | undefined =>
  COLOURS.has(fourcc) ? planes[0]?.bytes : undefined;

const ONE = names('R8');
const TWO_CHANNELS = names('GR88');
const RGB565 = names('RG16');
const FOUR = names('XR24,XB24,RX24,BX24,AR24,AB24,RA24,BA24,XR30,XB30,RX30,BX30,AR30,AB30,RA30,BA30');
const HALF_FLOATS = names('XR4H,XB4H,AR4H,AB4H');

/** What compression looks at: formats with the same bytes and channels are compressed alike. */
export type Colours = 'one' | 'two' | '565' | 'four' | 'half-floats';

/** The kind of an RGB format that compression was compared for; undefined for any other format. */
export function coloursOf({ fourcc }: PixelFormat): Colours | undefined {
  if (FOUR.has(fourcc)) return 'four';
  if (RGB565.has(fourcc)) return '565';
  if (HALF_FLOATS.has(fourcc)) return 'half-floats';
  if (ONE.has(fourcc)) return 'one';
  return TWO_CHANNELS.has(fourcc) ? 'two' : undefined;
}

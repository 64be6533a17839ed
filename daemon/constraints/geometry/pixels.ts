import type { PixelFormat } from '../constraint-types.js';

/** Sizes of a pixel, in bytes, for which tilings were compared with drivers. */
const COMPARED: ReadonlySet<number> = new Set([1, 2, 4, 8]);

/** Bytes of a pixel of a format with one plane of whole pixels; undefined for any other format. */
export function pixelBytes({ planes: [plane, ...others] }: PixelFormat): number | undefined {
  if (plane === undefined || others.length > 0 || plane.hsub !== 1 || plane.vsub !== 1) return undefined;
  return COMPARED.has(plane.bytes) ? plane.bytes : undefined;
}

const names = (list: string): ReadonlySet<string> => new Set(list.split(',').map((name) => name.padEnd(4)));

const ONE = names('R8');
const TWO_CHANNELS = names('GR88,RG88');
const RGB565 = names('RG16,BG16');
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

/** What a pixel of a sensor is, as it leaves the sensor. */
export interface BusFormat {
  readonly kind: 'Bayer' | 'grey' | 'YUV' | 'RGB';
  /** Bits of a pixel. */
  readonly bits: number;
}

/** A sensor's pixel as it lies in memory. */
export interface PixelInMemory {
  /** For a person: `packed 10-bit Bayer`. */
  readonly format: string;
  /** Bits that a pixel takes. */
  readonly bits: number;
}

/** MEDIA_BUS_FMT_… of linux/media-bus-format.h that sensors send. */
export const BUS_FORMATS: readonly (readonly [format: BusFormat, ...codes: readonly number[]])[] = [
  // S, the order of the colours, the bits, 1X and the bits again
  [{ kind: 'Bayer', bits: 8 }, 0x3001, 0x3013, 0x3002, 0x3014],
  [{ kind: 'Bayer', bits: 10 }, 0x3007, 0x300e, 0x300a, 0x300f],
  [{ kind: 'Bayer', bits: 12 }, 0x3008, 0x3010, 0x3011, 0x3012],
  [{ kind: 'Bayer', bits: 14 }, 0x3019, 0x301a, 0x301b, 0x301c],
  [{ kind: 'Bayer', bits: 16 }, 0x301d, 0x301e, 0x301f, 0x3020],
  // Y8_1X8, Y10_1X10, Y12_1X12, Y14_1X14
  [{ kind: 'grey', bits: 8 }, 0x2001],
  [{ kind: 'grey', bits: 10 }, 0x200a],
  [{ kind: 'grey', bits: 12 }, 0x2013],
  [{ kind: 'grey', bits: 14 }, 0x202d],
  // UYVY8, VYUY8, YUYV8 and YVYU8, 2X8 and 1X16
  [{ kind: 'YUV', bits: 16 }, 0x2006, 0x2007, 0x2008, 0x2009, 0x200f, 0x2010, 0x2011, 0x2012],
  // RGB565_1X16, RGB565_2X8_BE, RGB565_2X8_LE
  [{ kind: 'RGB', bits: 16 }, 0x1017, 0x1007, 0x1008],
  // RGB888_1X24, BGR888_1X24
  [{ kind: 'RGB', bits: 24 }, 0x100a, 0x1013],
];
const BY_CODE: ReadonlyMap<number, BusFormat> = new Map(
  BUS_FORMATS.flatMap(([format, ...codes]) => codes.map((code) => [code, format] as const)),
);

/** V4L2's formats whose pixels lie in memory bit by bit, by what the sensor sends. */
const PACKED: readonly (readonly [kind: BusFormat['kind'], bits: number, ...fourccs: readonly string[]])[] = [
  ['Bayer', 10, 'pBAA', 'pGAA', 'pgAA', 'pRAA'],
  ['Bayer', 12, 'pBCC', 'pGCC', 'pgCC', 'pRCC'],
  ['Bayer', 14, 'pBEE', 'pGEE', 'pgEE', 'pREE'],
  ['grey', 10, 'Y10P', 'Y10B'],
  ['grey', 12, 'Y12P'],
  ['grey', 14, 'Y14P'],
];

/**
 * How a receiver writes what a sensor sends: packed where it can, for that is what programs take, otherwise in whole bytes.
 * @param code MEDIA_BUS_FMT_…
 * @param fourccs V4L2's names of what the receiver writes
 * @returns undefined for what is compressed or unknown
 */
export function pixelInMemory(code: number, fourccs: readonly string[]): PixelInMemory | undefined {
  const sent = BY_CODE.get(code);
  if (sent === undefined) return undefined;
  const { kind, bits } = sent;
  const depth = kind === 'YUV' ? '4:2:2' : `${bits}-bit`;
  const [, , ...packed] = PACKED.find(([of, width]) => of === kind && width === bits) ?? ['', 0];
  if (packed.some((name) => fourccs.includes(name))) return { format: `packed ${depth} ${kind}`, bits };
  return { format: `${depth} ${kind}`, bits: Math.ceil(bits / 8) * 8 };
}

import { LINEAR } from '../../../daemon/constraints/constraint-types.js';
import { pixelFormat } from '../../../daemon/constraints/formats.js';
import type { Device } from '../../../daemon/devices/inventory.js';
import type { Use } from '../../../dbus/names.js';

/** An image to try. */
export interface Case {
  readonly use: Use;
  /** Fourcc with its trailing spaces. */
  readonly format: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** Pixels: a cursor's, one of odd widths that most steps round, and those of displays and cameras. */
const SIZES = [
  { width: 64, height: 64 },
  { width: 640, height: 480 },
  { width: 1366, height: 768 },
  { width: 1920, height: 1080 },
  { width: 3840, height: 2160 },
];
/** Formats of one use that are tried: enough to see each kind of layout. */
const MAX_FORMATS = 12;
/** What most devices take comes first. */
const USUAL: readonly string[] = ['XR24', 'AR24', 'NV12', 'YUYV', 'RG16', 'YU12', 'RG24', 'P010', 'XR30'];
/** For a GPU, whose formats the kernel does not publish, only the import can be tried. */
const OF_A_GPU = ['XR24'];

/** What to try on a device: each of its uses with linear formats that the broker knows, in several sizes. */
export const casesOf = (device: Device): readonly Case[] =>
  device.uses.flatMap((use) =>
    formatsOf(device, use).flatMap((format) => SIZES.map((size) => ({ use, format, ...size }))),
  );

function formatsOf({ formats, otherFormats = [] }: Device, use: Use): readonly string[] {
  const published = formats.filter(({ uses }) => uses.includes(use));
  if (published.length === 0) return otherFormats.some(({ uses }) => uses.includes(use)) ? [] : OF_A_GPU;
  const linear = published
    .filter(({ format, modifiers }) => modifiers.includes(LINEAR) && pixelFormat(format) !== undefined)
    .map(({ format }) => format);
  const rank = (format: string): number => (USUAL.includes(format) ? USUAL.indexOf(format) : USUAL.length);
  return [...new Set(linear)].toSorted((a, b) => rank(a) - rank(b)).slice(0, MAX_FORMATS);
}

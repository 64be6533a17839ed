import type { PixelFormat, PlaneShape } from '../constraints/types.js';
import type { V4l2Image } from '../kernel/v4l2.js';
import { roundUp, STEPS } from './rounding.js';

/** What a driver's images have besides their rows: a dma-buf that is smaller than that is refused when it is queued. */
export interface Padding {
  /** Rows of the image are rounded up to so many; 1 for none. */
  readonly rows: number;
  /** Bytes of the whole are rounded up to so many; 1 for none. */
  readonly bytes: number;
}

/** Rows: more than these are none that hardware works on at once. */
const MOST_ROWS = 128;

/**
 * The padding that explains every size; undefined where none does. One of rows alone is believed before any other.
 * @param heights that were asked for, or those that were granted
 * @param images each in one memory plane, with the pitches of further planes following from the first's
 */
export function paddingOf(
  { planes }: PixelFormat,
  heights: readonly number[],
  images: readonly V4l2Image[],
): Padding | undefined {
  const explains = ({ rows, bytes }: Padding): boolean =>
    images.every((image, i) => {
      const [memory, ...others] = image.planes;
      if (memory === undefined || others.length > 0) return false;
      const size = sizeOf(planes, memory.bytesPerLine, roundUp(heights[i] ?? NaN, rows));
      return roundUp(size, bytes) === memory.size;
    });
  return CANDIDATES.find(explains);
}

const ROWS = STEPS.filter((rows) => rows <= MOST_ROWS);
const CANDIDATES: readonly Padding[] = [
  ...ROWS.map((rows) => ({ rows, bytes: 1 })),
  ...ROWS.flatMap((rows) => STEPS.slice(1).map((bytes) => ({ rows, bytes }))),
];

/** Bytes of an image whose planes lie one behind the other; NaN where a pitch does not follow from the first. */
function sizeOf(planes: readonly PlaneShape[], pitch: number, rows: number): number {
  const [first] = planes;
  if (first === undefined) return NaN;
  return planes
    .map(({ hsub, vsub, bytes }) => {
      const own = (pitch * bytes * first.hsub) / (first.bytes * hsub);
      return Number.isInteger(own) ? own * Math.ceil(rows / vsub) : NaN;
    })
    .reduce((sum, size) => sum + size);
}

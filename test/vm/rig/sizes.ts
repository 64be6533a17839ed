import type { Size } from './kms.js';

/** Sizes that may be drawn. Pixels; both bounds are drawn too. */
export interface SizeRange {
  readonly min: Size;
  readonly max: Size;
  /** Bytes that an image may take at most. */
  readonly bytes: number;
  /** Bytes of a pixel, at most. */
  readonly pixel: number;
}

/** The smallest, the widest, the highest and, where it is not too much, the largest image. */
export function extremes({ min, max, bytes, pixel }: SizeRange): readonly Size[] {
  const corners = [
    min,
    { width: max.width, height: min.height },
    { width: min.width, height: max.height },
    max,
  ];
  return corners.filter(({ width, height }) => width * height * pixel <= bytes);
}

/**
 * The extremes, then random sizes: of each length as many between 10 and 100 as between 100 and 1,000, so that small
 * images are as usual as large ones.
 * @param random numbers from 0 to below 1
 */
export function drawSizes(range: SizeRange, count: number, random: () => number): readonly Size[] {
  const { min, max, bytes, pixel } = range;
  const between = (least: number, most: number): number =>
    Math.min(most, Math.floor(least * ((most + 1) / least) ** random()));
  const sizes = [...extremes(range)];
  while (sizes.length < count) {
    const size = { width: between(min.width, max.width), height: between(min.height, max.height) };
    if (size.width * size.height * pixel <= bytes) sizes.push(size);
  }
  return sizes;
}

/** Things in their order, as many together as have no more bytes than `room`, and at least one. */
export function groupsOf<T>(
  things: readonly T[],
  bytesOf: (thing: T) => number,
  room: number,
): readonly (readonly T[])[] {
  const groups: T[][] = [];
  let left = 0;
  for (const thing of things) {
    const last = groups.at(-1);
    if (last !== undefined && bytesOf(thing) <= left) last.push(thing);
    else {
      groups.push([thing]);
      left = room;
    }
    left -= bytesOf(thing);
  }
  return groups;
}

import type { PixelFormat, PlaneShape } from '../constraints/constraint-types.js';
import { gcd } from '../constraints/integers.js';
import { KernelError } from '../kernel/errors.js';
import type { V4l2Calls, V4l2Image, V4l2Queue, V4l2Wish } from '../kernel/v4l2.js';
import { stepBetween, ASKED_SIZES, roundUp, STEPS } from './rounding.js';

/** What a driver makes of wishes for one format (VIDIOC_TRY_FMT), as limits on a layout. */
export interface TriedFormat {
  /** Bytes that pitches are rounded up to; `exact` when the driver takes no larger pitch than that. */
  readonly pitch?: { readonly step: number; readonly exact: boolean };
  readonly padding?: Padding;
  /** The largest image. */
  readonly max?: Size;
}

/** Pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/** More than any device takes, and little enough that no driver's arithmetic overflows. */
const HUGE_PIXELS = 65_535;
/** Tries a format at several sizes. A driver that refuses shows nothing. */
export async function tryFormat(
  v4l2: V4l2Calls,
  node: number,
  queue: V4l2Queue,
  fourcc: string,
  format: PixelFormat,
): Promise<TriedFormat> {
  const ask = async (wish: Omit<V4l2Wish, 'fourcc'>): Promise<V4l2Image> =>
    v4l2.tryFormat(node, queue, { fourcc, ...wish });
  try {
    const samples: V4l2Image[] = [];
    const wishes = wishesFor(format);
    for (const wish of wishes) samples.push(await ask(wish));
    // A size that follows no wish is that of a signal or a stream: a state, and no limit.
    const isFree = new Set(samples.map(({ width }) => width)).size > 1;
    if (!isFree || samples.some((sample) => sample.fourcc !== fourcc)) return {};
    const step = stepOf(wishes, samples, format);
    const padding = paddingFor(wishes, samples, format);
    const exact = step !== undefined && (await isExact(ask, samples[0], format));
    const max = await ask({ width: HUGE_PIXELS, height: HUGE_PIXELS });
    return {
      ...(step !== undefined && (exact || step > 1) && { pitch: { step, exact } }),
      ...(padding && { padding }),
      ...(max.width > 0 &&
        max.width < HUGE_PIXELS &&
        max.height > 0 &&
        max.height < HUGE_PIXELS && { max: sizeOf(max) }),
    };
  } catch (error) {
    if (error instanceof KernelError) return {};
    throw error;
  }
}

/**
 * What holds whichever codec a decoder is set to: of several steps and paddings the common multiples, which no codec's own
 * pitch is exactly where they differ.
 */
export function withEveryCodec(tried: readonly TriedFormat[]): TriedFormat {
  const pitches = tried.flatMap(({ pitch }) => pitch ?? []);
  const paddings = tried.flatMap(({ padding }) => padding ?? []);
  const common = (values: readonly number[]): number => values.reduce((a, b) => (a / gcd(a, b)) * b, 1);
  const step = common(pitches.map((pitch) => pitch.step));
  const exact = pitches.length > 0 && pitches.every((pitch) => pitch.exact && pitch.step === step);
  const max = tried.flatMap((each) => each.max ?? []);
  return {
    ...((exact || step > 1) && { pitch: { step, exact } }),
    ...(paddings.length > 0 && {
      padding: {
        rows: common(paddings.map(({ rows }) => rows)),
        bytes: common(paddings.map(({ bytes }) => bytes)),
      },
    }),
    ...(max.length > 0 && {
      max: {
        width: Math.max(...max.map(({ width }) => width)),
        height: Math.max(...max.map(({ height }) => height)),
      },
    }),
  };
}

function wishesFor({ planes }: PixelFormat): readonly Size[] {
  const wide = Math.max(...planes.map(({ hsub }) => hsub));
  const high = Math.max(...planes.map(({ vsub }) => vsub));
  return ASKED_SIZES.map(({ width, height, more }) => ({
    width: width + more * wide,
    height: height + more * high,
  }));
}

const sizeOf = ({ width, height }: V4l2Image): Size => ({ width, height });

const pitchOf = ({ planes }: V4l2Image): number => planes[0]?.bytesPerLine ?? 0;

/**
 * Sizes that may explain what a driver made of wishes, best first: what was asked; that, but no more than was granted (a
 * decoder of MPEG-2 makes nothing larger than 1920 × 1088); what was granted.
 */
function explanations(wishes: readonly Size[], samples: readonly V4l2Image[]): readonly (readonly Size[])[] {
  const cut = wishes.map(({ width, height }, i) => ({
    width: Math.min(width, samples[i]?.width ?? 0),
    height: Math.min(height, samples[i]?.height ?? 0),
  }));
  return [wishes, cut, samples];
}

/** What the first sizes give that explain anything. */
function firstOf<T>(
  wishes: readonly Size[],
  samples: readonly V4l2Image[],
  explain: (sizes: readonly Size[]) => T | undefined,
): T | undefined {
  for (const sizes of explanations(wishes, samples)) {
    const found = explain(sizes);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The step of the pitches. */
function stepOf(
  wishes: readonly Size[],
  samples: readonly V4l2Image[],
  { planes: [first] }: PixelFormat,
): number | undefined {
  if (first === undefined) return undefined;
  const pitches = samples.map(pitchOf);
  return firstOf(wishes, samples, (sizes) =>
    stepBetween(
      sizes.map(({ width }) => Math.ceil(width / first.hsub) * first.bytes),
      pitches,
      first.bytes,
    ),
  );
}

/** The padding, by the heights in the same way. */
function paddingFor(
  wishes: readonly Size[],
  samples: readonly V4l2Image[],
  format: PixelFormat,
): Padding | undefined {
  return firstOf(wishes, samples, (sizes) =>
    paddingOf(
      format,
      sizes.map(({ height }) => height),
      samples,
    ),
  );
}

/**
 * Whether the driver keeps its own pitch when it is asked for a larger one. Of planes with different pitches an exact
 * one cannot be said: then the step alone is known.
 */
async function isExact(
  ask: (wish: Omit<V4l2Wish, 'fourcc'>) => Promise<V4l2Image>,
  sample: V4l2Image | undefined,
  { planes }: PixelFormat,
): Promise<boolean> {
  const [first] = planes;
  if (sample === undefined || first === undefined) return false;
  if (planes.some(({ bytes, hsub }) => bytes * first.hsub !== first.bytes * hsub)) return false;
  const pitch = pitchOf(sample);
  const answer = await ask({ ...sizeOf(sample), bytesPerLine: 2 * pitch });
  return answer.width === sample.width && pitchOf(answer) === pitch;
}

/** What a driver's images have besides their rows: a dma-buf that is smaller than that is refused when it is queued. */
interface Padding {
  /** Rows of the image are rounded up to so many; 1 for none. */
  readonly rows: number;
  /** Bytes of the whole are rounded up to so many; 1 for none. */
  readonly bytes: number;
}

/** Rows: more than these are none that hardware works on at once. */
const MAX_ROWS = 128;

/**
 * The padding that explains every size; undefined where none does. One of rows alone is believed before any other.
 * @param heights that were asked for, or those that were granted
 * @param images each in one memory plane, with the pitches of further planes following from the first's, or with a memory
 * plane for each plane
 */
export function paddingOf(
  { planes }: PixelFormat,
  heights: readonly number[],
  images: readonly V4l2Image[],
): Padding | undefined {
  const explains = ({ rows, bytes }: Padding): boolean =>
    images.every((image, i) => {
      const sizes = paddedSizes(planes, image, roundUp(heights[i] ?? NaN, rows));
      return (
        sizes.length > 0 &&
        image.planes.every(({ size }, memory) => roundUp(sizes[memory] ?? NaN, bytes) === size)
      );
    });
  return CANDIDATES.find(explains);
}

const ROWS = STEPS.filter((rows) => rows <= MAX_ROWS);
const CANDIDATES: readonly Padding[] = [
  ...ROWS.map((rows) => ({ rows, bytes: 1 })),
  ...ROWS.flatMap((rows) => STEPS.slice(1).map((bytes) => ({ rows, bytes }))),
];

/** Bytes of each memory plane; none of an image whose planes share them in another way. */
function paddedSizes(planes: readonly PlaneShape[], image: V4l2Image, rows: number): readonly number[] {
  const [first, ...others] = image.planes;
  if (first === undefined) return [];
  if (others.length === 0) return [paddedSize(planes, first.bytesPerLine, rows)];
  if (image.planes.length !== planes.length) return [];
  return image.planes.map(({ bytesPerLine }, i) => bytesPerLine * Math.ceil(rows / (planes[i]?.vsub ?? 1)));
}

/** Bytes of an image whose planes lie one behind the other; NaN where a pitch does not follow from the first. */
function paddedSize(planes: readonly PlaneShape[], pitch: number, rows: number): number {
  const [first] = planes;
  if (first === undefined) return NaN;
  return planes
    .map(({ hsub, vsub, bytes }) => {
      const own = (pitch * bytes * first.hsub) / (first.bytes * hsub);
      return Number.isInteger(own) ? own * Math.ceil(rows / vsub) : NaN;
    })
    .reduce((sum, size) => sum + size);
}

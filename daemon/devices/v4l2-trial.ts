import type { PixelFormat } from '../constraints/types.js';
import { KernelError } from '../kernel/errors.js';
import type { V4l2Calls, V4l2Image, V4l2Queue, V4l2Wish } from '../kernel/v4l2.js';

/** What a driver makes of wishes for one format (VIDIOC_TRY_FMT), as limits on a layout. */
export interface TriedFormat {
  /** Bytes that pitches are rounded up to; `exact` when the driver takes no larger pitch than that. */
  readonly pitch?: { readonly step: number; readonly exact: boolean };
  /** Pixels of the largest image. */
  readonly max?: { readonly width: number; readonly height: number };
}

/** Widths a few pixels above multiples of 128, in samples of the coarsest plane: each step rounds them differently. */
const WIDTHS = [
  { base: 640, more: 1 },
  { base: 1024, more: 3 },
  { base: 2048, more: 5 },
];
const HEIGHT = 480;
/** More than any device takes, and little enough that no driver's arithmetic overflows. */
const HUGE = 65_535;
/** Bytes. Steps are powers of two, and a larger one is none that hardware has. */
const LARGEST_STEP = 4096;

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
    const widths = widthsFor(format);
    for (const width of widths) samples.push(await ask({ width, height: HEIGHT }));
    // A size that follows no wish is that of a signal or a stream: a state, and no limit.
    const isFree = new Set(samples.map(({ width }) => width)).size > 1;
    if (!isFree || samples.some((sample) => sample.fourcc !== fourcc)) return {};
    const step = stepOf(widths, samples, format);
    const exact = step !== undefined && (await isExact(ask, samples[0], format));
    const max = await ask({ width: HUGE, height: HUGE });
    return {
      ...(step !== undefined && (exact || step > 1) && { pitch: { step, exact } }),
      ...(max.width > 0 && max.width < HUGE && max.height > 0 && max.height < HUGE && { max: sizeOf(max) }),
    };
  } catch (error) {
    if (error instanceof KernelError) return {};
    throw error;
  }
}

const widthsFor = ({ planes }: PixelFormat): readonly number[] => {
  const sample = Math.max(...planes.map(({ hsub }) => hsub));
  return WIDTHS.map(({ base, more }) => base + more * sample);
};

const sizeOf = ({ width, height }: V4l2Image): { width: number; height: number } => ({ width, height });

const pitchOf = ({ planes }: V4l2Image): number => planes[0]?.bytesPerLine ?? 0;

/** The largest step that explains every pitch, by the widths that were asked or else by those that were granted. */
function stepOf(
  widths: readonly number[],
  samples: readonly V4l2Image[],
  format: PixelFormat,
): number | undefined {
  const pitches = samples.map(pitchOf);
  const asked = explain(widths, pitches, format);
  return (
    asked ??
    explain(
      samples.map(({ width }) => width),
      pitches,
      format,
    )
  );
}

function explain(
  widths: readonly number[],
  pitches: readonly number[],
  { planes }: PixelFormat,
): number | undefined {
  const [first] = planes;
  if (first === undefined || new Set(pitches).size < 2) return undefined;
  const rows = widths.map((width) => Math.ceil(width / first.hsub) * first.bytes);
  const explains = (step: number): boolean =>
    rows.every((row, i) => Math.ceil(row / step) * step === pitches[i]);
  if (explains(1)) return 1;
  for (let step = LARGEST_STEP; step > 1; step /= 2) if (explains(step)) return step;
  return undefined;
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

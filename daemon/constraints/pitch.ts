import { alignUp, gcd, pitchLcm, MAX_PITCH_BYTES } from './integers.js';
import type { Limits } from './limits.js';
import type { PixelFormat, PlaneShape } from './constraint-types.js';

/** A plane's pitch as a fraction of plane 0's, in lowest terms: bytes a pixel of row against plane 0's. */
interface Ratio {
  readonly of: number;
  readonly to: number;
}

/**
 * The smallest pitches (bytes) that satisfy everything, one a plane, or undefined when there are none.
 * @param offsetSteps multiples that pitches must be besides, by plane, for the next plane's offset to fit
 */
export function pitchesOf(
  format: PixelFormat,
  width: number,
  limits: Limits,
  offsetSteps?: readonly number[],
): readonly number[] | undefined {
  const { planes } = format;
  const rows = planes.map(({ hsub, bytes }) => Math.ceil(width / hsub) * bytes);
  // Mostly one step does for all planes.
  const isCommon = offsetSteps === undefined && limits.widthMultiple === 0;
  const steps = isCommon ? undefined : planes.map((shape, i) => stepOf(shape, limits, offsetSteps?.[i] ?? 1));
  const pitches = choose(format, rows, steps, limits);
  return pitches.every((pitch, i) => fits(pitch, steps?.[i] ?? limits.pitchMultiple, limits))
    ? pitches
    : undefined;
}

/** Bytes that a plane's pitch is a multiple of; Infinity where no pitch is. */
function stepOf(
  { hsub, bytes }: PlaneShape,
  { pitchMultiple, widthMultiple }: Limits,
  offsetStep: number,
): number {
  const step = offsetStep === 1 ? pitchMultiple : pitchLcm(pitchMultiple, offsetStep);
  if (widthMultiple === 0) return step;
  if (widthMultiple === Infinity) return Infinity;
  return pitchLcm(step, (widthMultiple / gcd(widthMultiple, hsub)) * bytes);
}

function choose(
  format: PixelFormat,
  rows: readonly number[],
  steps: readonly number[] | undefined,
  limits: Limits,
): readonly number[] {
  const [exact] = limits.pitchExact;
  if (exact !== undefined) return exactPitches(format, rows, exact, limits);
  if (limits.pitchLinked && rows.length > 1) return linkedPitches(format, rows, steps, limits);
  return rows.map((row, i) => {
    const least = Math.max(row, limits.pitchMin);
    const step = steps?.[i] ?? limits.pitchMultiple;
    if (limits.pitchAbove.length === 0) return alignUp(least, step);
    return smallest(least, step, limits, (pitch, condition) => stepFor(condition, pitch, 1, 1));
  });
}

/** Exact pitches leave no choice: every step must name the same one, and linked planes must happen to follow. */
function exactPitches(
  { planes }: PixelFormat,
  rows: readonly number[],
  exact: number,
  { pitchExact, pitchLinked }: Limits,
): readonly number[] {
  const pitches = rows.map((row) => alignUp(row, exact));
  const agreed = rows.every((row, i) => pitchExact.every((step) => alignUp(row, step) === pitches[i]));
  const follow = (): boolean =>
    ratios(planes).every(({ of, to }, i) => (pitches[i] ?? NaN) * to === (pitches[0] ?? NaN) * of);
  return agreed && (!pitchLinked || follow()) ? pitches : [NaN];
}

/** The smallest pitch of plane 0 for which every plane's share of it is whole, long enough and a multiple. */
function linkedPitches(
  { planes }: PixelFormat,
  rows: readonly number[],
  steps: readonly number[] | undefined,
  limits: Limits,
): readonly number[] {
  let step = 1;
  let least = 0;
  const shares = ratios(planes);
  for (const [i, { of, to }] of shares.entries()) {
    step = pitchLcm(step, shareStep(steps?.[i] ?? limits.pitchMultiple, of, to));
    least = Math.max(least, Math.ceil((Math.max(rows[i] ?? 0, limits.pitchMin) * to) / of));
  }
  const first =
    limits.pitchAbove.length === 0
      ? alignUp(least, step)
      : smallest(least, step, limits, (pitch, condition) =>
          shares.reduce((most, { of, to }) => Math.max(most, stepFor(condition, pitch, of, to)), 1),
        );
  return shares.map(({ of, to }) => (first * of) / to);
}

type Condition = Limits['pitchAbove'][number];

/**
 * The smallest multiple of the step from `least` on that meets every condition, too. A pitch only grows on the way, so
 * that a condition that has come into force stays so, and is a part of the step from then on.
 * @param broken step that a condition asks for in addition; 1 where the pitch meets it
 */
function smallest(
  least: number,
  step: number,
  { pitchAbove }: Limits,
  broken: (pitch: number, condition: Condition) => number,
): number {
  let pitch = alignUp(least, step);
  for (let again = true; again;) {
    again = false;
    for (const condition of pitchAbove) {
      const more = broken(pitch, condition);
      if (more === 1) continue;
      step = pitchLcm(step, more);
      pitch = alignUp(pitch, step);
      again = true;
    }
  }
  return pitch;
}

/** Step of plane 0's pitch that makes its share meet a condition; 1 where it does, or where there is no such pitch. */
function stepFor({ above, multiple }: Condition, first: number, of: number, to: number): number {
  const pitch = (first * of) / to;
  return pitch > above && pitch % multiple !== 0 ? shareStep(multiple, of, to) : 1;
}

/** x · of / to is a multiple of m exactly when x is one of to · m / gcd(of, m). */
const shareStep = (m: number, of: number, to: number): number =>
  m === Infinity ? Infinity : to * (m / gcd(of, m));

function ratios(planes: readonly PlaneShape[]): readonly Ratio[] {
  const [first] = planes;
  return planes.map(({ hsub, bytes }) => {
    const of = bytes * (first?.hsub ?? 1);
    const to = hsub * (first?.bytes ?? 1);
    const shared = gcd(of, to);
    return { of: of / shared, to: to / shared };
  });
}

/** Checks what rounding alone does not give: the bounds, and of exact pitches the multiples. NaN fits nothing. */
const fits = (pitch: number, step: number, { pitchMin, pitchMax, pitchAbove }: Limits): boolean =>
  pitch >= pitchMin &&
  pitch <= pitchMax &&
  pitch <= MAX_PITCH_BYTES &&
  pitch % step === 0 &&
  (pitchAbove.length === 0 ||
    pitchAbove.every(({ above, multiple }) => pitch <= above || pitch % multiple === 0));

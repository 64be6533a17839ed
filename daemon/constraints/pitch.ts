import { alignUp, gcd, pitchLcm, MAX_PITCH_BYTES } from './integers.js';
import type { Limits } from './limits.js';
import type { PixelFormat, PlaneShape } from './constraint-types.js';

/** A plane's pitch as a fraction of plane 0's, in lowest terms: bytes a pixel of row against plane 0's. */
interface Ratio {
  readonly of: number;
  readonly to: number;
}

/** The smallest pitches (bytes) that satisfy everything, one a plane, or undefined when there are none. */
export function pitchesOf(format: PixelFormat, width: number, limits: Limits): readonly number[] | undefined {
  const rows = format.planes.map(({ hsub, bytes }) => Math.ceil(width / hsub) * bytes);
  const pitches = choose(format, rows, limits);
  return pitches.every((pitch) => fits(pitch, limits)) ? pitches : undefined;
}

function choose(format: PixelFormat, rows: readonly number[], limits: Limits): readonly number[] {
  const [exact] = limits.pitchExact;
  if (exact !== undefined) return exactPitches(format, rows, exact, limits);
  if (limits.pitchLinked && rows.length > 1) return linkedPitches(format, rows, limits);
  return rows.map((row) => alignUp(Math.max(row, limits.pitchMin), limits.pitchMultiple));
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
  { pitchMultiple, pitchMin }: Limits,
): readonly number[] {
  let step = 1;
  let least = 0;
  const shares = ratios(planes);
  for (const [i, { of, to }] of shares.entries()) {
    // x · of / to is a multiple of m exactly when x is one of to · m / gcd(of, m).
    step = pitchLcm(
      step,
      to * (pitchMultiple === Infinity ? Infinity : pitchMultiple / gcd(of, pitchMultiple)),
    );
    least = Math.max(least, Math.ceil((Math.max(rows[i] ?? 0, pitchMin) * to) / of));
  }
  const first = alignUp(least, step);
  return shares.map(({ of, to }) => (first * of) / to);
}

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
const fits = (pitch: number, { pitchMin, pitchMax, pitchMultiple }: Limits): boolean =>
  pitch >= pitchMin && pitch <= pitchMax && pitch <= MAX_PITCH_BYTES && pitch % pitchMultiple === 0;

import { aligned, shown, summary, times, verdict, type Taken } from './figures.js';

/** What a request costs while there is more and more of something. */
export interface Curve {
  /** Of what there is more and more, in the plural. */
  readonly of: string;
  /** The request. */
  readonly name: string;
  /** What the last point may cost at most, as a multiple of the first; `floor` where it is not ours, but what ours has below. */
  readonly target: number | 'floor';
  readonly points: readonly Point[];
  readonly end?: EarlyEnd;
}

/** Where a curve ends before what was meant to be its last point. */
export interface EarlyEnd {
  readonly meant: number;
  readonly why: string;
}

/** What came of one size; times in microseconds. */
export interface Point {
  readonly size: number;
  readonly median: number;
  readonly p99: number;
  /** A twin of the first point, which is measured in turns with this one. */
  readonly first: { readonly median: number; readonly p99: number };
  /** Of the medians. The first point's own tells how exact the others are. */
  readonly ratio: number;
}

/** A curve that is still to be measured. */
export interface CurvePlan extends Omit<Curve, 'points'> {
  readonly sizes: readonly number[];
  /** Takes the points in the order of their sizes, each in turns with a twin of the first. */
  readonly take: () => AsyncIterable<Taken>;
}

/** @param hear is told of each point as soon as there is one */
export async function curveOf(
  { of, name, target, end, sizes, take }: CurvePlan,
  hear: (point: Point) => void,
): Promise<Curve> {
  const points: Point[] = [];
  for await (const taken of take()) {
    const size = sizes[points.length];
    if (size === undefined) throw new Error(`${name}: more was taken than there are sizes`);
    const point = pointOf(size, taken);
    points.push(point);
    hear(point);
  }
  return { of, name, target, points, ...(end !== undefined && { end }) };
}

export function pointOf(size: number, { ours, baseline }: Taken): Point {
  const { median, p99 } = summary(ours);
  const first = summary(baseline);
  return { size, median, p99, first, ratio: median / first.median };
}

/** What the last point costs as a multiple of the first: 1 is flat. */
export function rise({ points }: Pick<Curve, 'points'>): number {
  const [first, last] = [points[0], points.at(-1)];
  return first === undefined || last === undefined ? NaN : last.ratio / first.ratio;
}

/** Thousands are set apart, as in any text for a person. */
export const counted = (size: number): string => size.toLocaleString('en');

/** Where a curve ended early, and why; undefined for one that did not. */
export function endText({ points, end }: Pick<Curve, 'points' | 'end'>): string | undefined {
  const last = points.at(-1);
  if (end === undefined || last === undefined) return undefined;
  return `ends at ${counted(last.size)} of ${counted(end.meant)}: ${end.why}`;
}

export const curveName = ({ of, name }: Pick<Curve, 'of' | 'name'>): string => `${name}, by ${of}`;

const COLUMNS = ['', 'median µs', 'p99 µs', 'first: median µs', 'p99 µs', 'ratio'];

/** A table for a person. */
export function curveTable(curve: Curve): string {
  const { target, points } = curve;
  const ratio = rise(curve);
  const end = endText(curve);
  return [
    curveName(curve),
    aligned([
      COLUMNS,
      ...points.map(({ size, median, p99, first, ratio }) => [
        counted(size),
        ...[median, p99, first.median, first.p99].map(shown),
        times(ratio),
      ]),
    ]),
    `last / first: ${times(ratio)}, ${verdict({ ratio, p99: NaN, target })}`,
    ...(end === undefined ? [] : [end]),
  ].join('\n');
}

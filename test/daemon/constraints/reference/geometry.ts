/**
 * Where the planes of an image lie, by the rules in ARCHITECTURE.md ("What a layout is") and without a look at the solver:
 * it tries numbers until one is right.
 */
import type {
  Constraint,
  Image,
  PlaneShape,
  Problem,
} from '../../../../daemon/constraints/constraint-types.js';
import { said } from './said.js';
import type { Search } from './search.js';

export interface Geometry {
  /** Bytes; none for memory with no image in it. */
  readonly planes: readonly { readonly offset: bigint; readonly pitch: bigint }[];
  /** Bytes. */
  readonly size: bigint;
}

export const LARGEST_PITCH = 2n ** 32n - 1n;
export const LARGEST_SIZE = 2n ** 64n - 1n;

/** The smallest layout that satisfies `constraints`; undefined when there is none. */
export function geometryOf(
  content: Problem['content'],
  constraints: readonly Constraint[],
  search: Search,
): Geometry | undefined {
  const sizes = said(constraints, 'size-multiple');
  const least = said(constraints, 'size-min');
  const extra = said(constraints, 'size-extra');
  const whole = (end: bigint): bigint | undefined =>
    search(
      largest([end, ...least, ...extra.map((bytes) => end + bytes)]),
      sizes,
      (size) => size <= LARGEST_SIZE,
    );
  if (!('format' in content)) {
    const size = whole(content.size);
    return size === undefined ? undefined : { planes: [], size };
  }
  const pitches = pitchesOf(content, constraints, search);
  const height = search(BigInt(content.height), said(constraints, 'height-multiple').map(BigInt), () => true);
  if (pitches === undefined || height === undefined) {
    return undefined;
  }
  const planes: { offset: bigint; pitch: bigint }[] = [];
  let end = 0n;
  for (const [plane, shape] of content.format.planes.entries()) {
    const pitch = pitches[plane] ?? 0n;
    const offset = search(end, said(constraints, 'offset-multiple').map(BigInt), (o) => o <= LARGEST_SIZE);
    if (offset === undefined) {
      return undefined;
    }
    planes.push({ offset, pitch });
    end = offset + pitch * roundedUp(height, shape.vsub);
  }
  const size = whole(end);
  return size === undefined ? undefined : { planes, size };
}

/** Bytes that one row of a plane takes, without anything after it. */
export function rowBytes(image: Image, shape: PlaneShape): bigint {
  return roundedUp(BigInt(image.width), shape.hsub) * BigInt(shape.bytes);
}

function roundedUp(pixels: bigint, subsampling: number): bigint {
  const by = BigInt(subsampling);
  return pixels % by === 0n ? pixels / by : pixels / by + 1n;
}

/** What one plane's pitch has to be. */
interface Wanted {
  readonly shape: PlaneShape;
  readonly least: bigint;
  readonly fits: (pitch: bigint) => boolean;
}

function pitchesOf(
  image: Image,
  constraints: readonly Constraint[],
  search: Search,
): readonly bigint[] | undefined {
  const multiples = said(constraints, 'pitch-multiple').map(BigInt);
  const wanted: Wanted[] = [];
  for (const shape of image.format.planes) {
    const row = rowBytes(image, shape);
    const exact = said(constraints, 'pitch-exact').map((step) => search(row, [BigInt(step)], () => true));
    if (exact.includes(undefined)) {
      throw new Error('the search ends before the next multiple');
    }
    const only = exact.filter((pitch) => pitch !== undefined);
    const minima = said(constraints, 'pitch-min').map(BigInt);
    const maxima = [LARGEST_PITCH, ...said(constraints, 'pitch-max').map(BigInt)];
    const fits = (pitch: bigint): boolean =>
      pitch >= row &&
      only.every((target) => pitch === target) &&
      minima.every((minimum) => pitch >= minimum) &&
      maxima.every((maximum) => pitch <= maximum) &&
      multiples.every((multiple) => pitch % multiple === 0n);
    wanted.push({ shape, least: largest([row, ...only, ...minima]), fits });
  }
  return said(constraints, 'pitch-linked').includes(true)
    ? linked(wanted, multiples, search)
    : separate(wanted, multiples, search);
}

function separate(wanted: readonly Wanted[], multiples: readonly bigint[], search: Search) {
  const pitches = wanted.map(({ least, fits }) => search(least, multiples, fits));
  const found = pitches.filter((pitch) => pitch !== undefined);
  return found.length === pitches.length ? found : undefined;
}

function linked(wanted: readonly Wanted[], multiples: readonly bigint[], search: Search) {
  const [first] = wanted;
  if (first === undefined) {
    return [];
  }
  // Plane p's pitch is plane 0's times (bytes_p / hsub_p) / (bytes_0 / hsub_0), which is over / under.
  const ratios = wanted.map(({ shape, least, fits }) => ({
    over: BigInt(shape.bytes) * BigInt(first.shape.hsub),
    under: BigInt(shape.hsub) * BigInt(first.shape.bytes),
    least,
    fits,
  }));
  const least = largest(ratios.map((r) => (r.least * r.under + r.over - 1n) / r.over));
  const lead = search(least, multiples, (pitch) =>
    ratios.every(({ over, under, fits }) => (pitch * over) % under === 0n && fits((pitch * over) / under)),
  );
  return lead === undefined ? undefined : ratios.map(({ over, under }) => (lead * over) / under);
}

function largest(numbers: readonly bigint[]): bigint {
  return numbers.reduce((a, b) => (a > b ? a : b), 0n);
}

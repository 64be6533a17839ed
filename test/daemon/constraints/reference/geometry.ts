/**
 * Where the planes of an image lie, by the rules in ARCHITECTURE.md ("What a layout is") and without a look at the solver:
 * it tries numbers until one is right.
 */
import {
  LINEAR,
  type Constraint,
  type Image,
  type PlaneShape,
  type Problem,
} from '../../../../daemon/constraints/constraint-types.js';
import { ofKind, said } from './said.js';
import type { Search } from './search.js';
import { tiledGeometry } from './tiles.js';

export interface Geometry {
  /** Bytes; none for memory with no image in it. */
  readonly planes: readonly { readonly offset: bigint; readonly pitch: bigint }[];
  /** Bytes. */
  readonly size: bigint;
  /** Bytes of each plane's own descriptor, where each has one. */
  readonly fdSizes?: readonly bigint[];
}

export const LARGEST_PITCH = 2n ** 32n - 1n;
/** ADDFB2 and linux-dmabuf: `__u32 offsets[4]`, `uint offset`. */
export const LARGEST_OFFSET = 2n ** 32n - 1n;
/** `off_t`, signed 64 bits. */
export const LARGEST_SIZE = 2n ** 63n - 1n;

/** The smallest layout that satisfies `constraints`; undefined when there is none. */
export function geometryOf(
  content: Problem['content'],
  constraints: readonly Constraint[],
  search: Search,
  modifier = LINEAR,
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
  if (modifier !== LINEAR) {
    return tiledGeometry(content, modifier, constraints, search, whole);
  }
  const apart = isApart(content, constraints);
  if (apart && !mayBeApart(constraints)) {
    return undefined;
  }
  const height = heightOf(content, constraints, search);
  const pitches = height === undefined ? undefined : pitchesOf(content, height, constraints, search);
  if (pitches === undefined || height === undefined) {
    return undefined;
  }
  if (apart) {
    const fdSizes = content.format.planes.map((shape, plane) =>
      whole((pitches[plane] ?? 0n) * roundedUp(height, shape.vsub)),
    );
    const known = fdSizes.filter((bytes) => bytes !== undefined);
    const size = known.reduce((sum, bytes) => sum + bytes, 0n);
    return known.length < fdSizes.length || size > LARGEST_SIZE
      ? undefined
      : { planes: pitches.map((pitch) => ({ offset: 0n, pitch })), size, fdSizes: known };
  }
  const planes: { offset: bigint; pitch: bigint }[] = [];
  let end = 0n;
  for (const [plane, shape] of content.format.planes.entries()) {
    const pitch = pitches[plane] ?? 0n;
    const offset = search(end, said(constraints, 'offset-multiple').map(BigInt), (o) => o <= LARGEST_OFFSET);
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

/** Whether each plane of an image has a descriptor of its own. */
const isApart = ({ format }: Image, constraints: readonly Constraint[]): boolean =>
  format.planes.length > 1 && said(constraints, 'planes-apart').includes(true);

/** Whether no participant refuses that, or wants all planes in one. */
const mayBeApart = (constraints: readonly Constraint[]): boolean =>
  ofKind(constraints, 'planes-apart').every(({ value, origin }) => value || origin.source === 'client') &&
  !said(constraints, 'planes-contiguous').includes(true);

/** Whether planes of an image have to follow one another at once. */
const isContiguous = (image: Image, constraints: readonly Constraint[]): boolean =>
  image.format.planes.length > 1 &&
  !isApart(image, constraints) &&
  said(constraints, 'planes-contiguous').includes(true);

/** Rows of the image, as everybody counts them; undefined where they do not agree. */
function heightOf(image: Image, constraints: readonly Constraint[], search: Search): bigint | undefined {
  const height = BigInt(image.height);
  const multiples = said(constraints, 'height-multiple').map(BigInt);
  if (!isContiguous(image, constraints)) {
    return search(height, multiples, () => true);
  }
  const counted = ofKind(constraints, 'planes-contiguous')
    .filter(({ value }) => value)
    .map(({ rows = 1 }) => search(height, [BigInt(rows)], () => true));
  const [first] = counted;
  return counted.every((rows) => rows === first) &&
    multiples.every((multiple) => first !== undefined && first % multiple === 0n)
    ? first
    : undefined;
}

/** A multiple that a pitch is to be when it is larger than a size. */
interface Condition {
  readonly above: bigint;
  readonly multiple: bigint;
}

/** What one plane's pitch has to be. */
interface Wanted {
  readonly shape: PlaneShape;
  readonly least: bigint;
  /** Numbers that divide it. */
  readonly multiples: readonly bigint[];
  readonly conditions: readonly Condition[];
  readonly fits: (pitch: bigint) => boolean;
}

export function pitchesOf(
  image: Image,
  height: bigint,
  constraints: readonly Constraint[],
  search: Search,
): readonly bigint[] | undefined {
  const asked = ofKind(constraints, 'pitch-multiple');
  const always = asked.flatMap(({ value, above }) => (above === undefined ? [BigInt(value)] : []));
  const conditions = asked.flatMap(({ value, above }) =>
    above === undefined ? [] : [{ above: BigInt(above), multiple: BigInt(value) }],
  );
  const offsets = isContiguous(image, constraints) ? said(constraints, 'offset-multiple').map(BigInt) : [];
  const wanted = image.format.planes.map((shape, plane): Wanted => {
    const row = rowBytes(image, shape);
    const exact = said(constraints, 'pitch-exact').map((step) => search(row, [BigInt(step)], () => true));
    if (exact.includes(undefined)) {
      throw new Error('the search ends before the next multiple');
    }
    const only = exact.filter((pitch) => pitch !== undefined);
    const minima = said(constraints, 'pitch-min').map(BigInt);
    const maxima = [LARGEST_PITCH, ...said(constraints, 'pitch-max').map(BigInt)];
    const isLast = plane === image.format.planes.length - 1;
    const multiples = [
      ...always,
      ...said(constraints, 'width-multiple').map((pixels) => bytesOf(BigInt(pixels), shape)),
      // The next plane begins where this one ends, which is to be at such a multiple.
      ...(isLast ? [] : offsets.map((offset) => part(offset, roundedUp(height, shape.vsub)))),
    ];
    const fits = (pitch: bigint): boolean =>
      pitch >= row &&
      only.every((target) => pitch === target) &&
      minima.every((minimum) => pitch >= minimum) &&
      maxima.every((maximum) => pitch <= maximum) &&
      multiples.every((multiple) => pitch % multiple === 0n) &&
      conditions.every(({ above, multiple }) => pitch <= above || pitch % multiple === 0n);
    return { shape, least: largest([row, ...only, ...minima]), multiples, conditions, fits };
  });
  return said(constraints, 'pitch-linked').includes(true) ? linked(wanted, search) : separate(wanted, search);
}

/** Bytes of the fewest whole samples that hold a multiple of so many pixels. */
const bytesOf = (pixels: bigint, { hsub, bytes }: PlaneShape): bigint =>
  part(pixels, BigInt(hsub)) * BigInt(bytes);

/** What a number must be a multiple of for its product with `factor` to be one of `multiple`. */
export function part(multiple: bigint, factor: bigint): bigint {
  let [divisor, rest] = [multiple, factor];
  while (rest !== 0n) {
    [divisor, rest] = [rest, divisor % rest];
  }
  return multiple / divisor;
}

function separate(wanted: readonly Wanted[], search: Search): readonly bigint[] | undefined {
  const pitches = wanted.map((plane) =>
    smallest(plane.least, plane.multiples, plane.conditions, plane.fits, search),
  );
  const found = pitches.filter((pitch) => pitch !== undefined);
  return found.length === pitches.length ? found : undefined;
}

function linked(wanted: readonly Wanted[], search: Search): readonly bigint[] | undefined {
  const [first] = wanted;
  if (first === undefined) {
    return [];
  }
  // Plane p's pitch is plane 0's times (bytes_p / hsub_p) / (bytes_0 / hsub_0), which is over / under.
  const ratios = wanted.map(({ shape, ...plane }) => {
    const over = BigInt(shape.bytes) * BigInt(first.shape.hsub);
    const under = BigInt(shape.hsub) * BigInt(first.shape.bytes);
    // lead · over / under is a multiple of m where lead · over is one of m · under.
    const ofLead = (multiple: bigint): bigint => part(multiple * under, over);
    return { ...plane, over, under, ofLead };
  });
  const least = largest(ratios.map((r) => (r.least * r.under + r.over - 1n) / r.over));
  const multiples = ratios.flatMap((r) => r.multiples.map(r.ofLead));
  const conditions = ratios.flatMap((r) =>
    r.conditions.map(({ above, multiple }) => ({
      above: (above * r.under) / r.over,
      multiple: r.ofLead(multiple),
    })),
  );
  const fits = (pitch: bigint): boolean =>
    ratios.every((r) => (pitch * r.over) % r.under === 0n && r.fits((pitch * r.over) / r.under));
  const lead = smallest(least, multiples, conditions, fits, search);
  return lead === undefined ? undefined : ratios.map(({ over, under }) => (lead * over) / under);
}

/**
 * The smallest pitch that fits. Where the search ends too soon, it looks from the least on between two sizes that
 * conditions begin above, where the same ones are in force.
 */
function smallest(
  least: bigint,
  multiples: readonly bigint[],
  conditions: readonly Condition[],
  fits: (pitch: bigint) => boolean,
  search: Search,
): bigint | undefined {
  const direct = search(least, multiples, fits);
  if (direct !== undefined || conditions.length === 0) {
    return direct;
  }
  const starts = [least, ...conditions.map(({ above }) => above + 1n)].filter((start) => start >= least);
  for (const start of [...new Set(starts)].sort((a, b) => (a < b ? -1 : 1))) {
    const next = starts.filter((other) => other > start).reduce((a, b) => (a < b ? a : b), LARGEST_SIZE);
    const inForce = conditions.filter(({ above }) => start > above).map(({ multiple }) => multiple);
    const found = search(start, [...multiples, ...inForce], (pitch) => pitch < next && fits(pitch));
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function largest(numbers: readonly bigint[]): bigint {
  return numbers.reduce((a, b) => (a > b ? a : b), 0n);
}

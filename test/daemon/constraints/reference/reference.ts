/**
 * The whole answer to a problem, by trying everything: slow, plain, and written from the rules in ARCHITECTURE.md ("What a
 * layout is") alone.
 */
import { LINEAR, type Constraint, type Problem } from '../../../../daemon/constraints/constraint-types.js';
import { geometryOf, LARGEST_PITCH, rowBytes, type Geometry } from './geometry.js';
import { bestIn, inOrderOfPreference, laidOutIn, memoryConstraints, modifiersIn } from './memory.js';
import { said } from './said.js';
import type { Search } from './search.js';

export interface Solution {
  readonly geometry: Geometry;
  /** Absent for memory with no image in it. */
  readonly modifier?: bigint;
  /** Handles of the memories that would do, best first. */
  readonly handles: readonly string[];
}

/** All that stands in a problem: what was asked, and the limits of the memories. */
export function allConstraints(problem: Problem): readonly Constraint[] {
  return [...inForce(problem), ...memoryConstraints(problem)];
}

/** What planes have to be like in one descriptor asks nothing of planes that have descriptors of their own. */
export const inForce = ({ constraints }: Problem): readonly Constraint[] =>
  said(constraints, 'planes-apart').includes(true)
    ? constraints.filter((c) => c.orApart !== true)
    : constraints;

/** The best answer; undefined when the constraints cannot hold together. */
export function solve(problem: Problem, search: Search): Solution | undefined {
  const constraints = allConstraints(problem);
  if (!countsHold(constraints) || !imageIsSmallEnough(problem, constraints)) {
    return undefined;
  }
  const { content, memories } = problem;
  const layouts = new Map(
    laidOutIn(problem).flatMap((modifier) => {
      const geometry = geometryOf(content, constraints, search, modifier);
      return geometry === undefined ? [] : [[modifier, geometry] as const];
    }),
  );
  const accepted = new Map(
    memories.map((memory) => [
      memory,
      modifiersIn(memory, problem, constraints).filter((modifier) => layouts.has(modifier)),
    ]),
  );
  const does = memories.filter((memory) => (accepted.get(memory) ?? []).length > 0);
  const inOrder = inOrderOfPreference(does, constraints);
  const choices = inOrder.map((memory) => {
    const sizes = new Map(
      (accepted.get(memory) ?? []).map((modifier) => [modifier, layouts.get(modifier)?.size ?? 0n]),
    );
    return 'format' in content ? bestIn(memory, sizes) : LINEAR;
  });
  const modifier = choices.find((choice) => choice !== LINEAR) ?? choices[0];
  const geometry = modifier === undefined ? undefined : layouts.get(modifier);
  if (modifier === undefined || geometry === undefined) {
    return undefined;
  }
  return {
    geometry,
    ...('format' in content ? { modifier } : {}),
    handles: inOrder
      .filter((memory) => accepted.get(memory)?.includes(modifier) === true)
      .map((memory) => memory.handle),
  };
}

function countsHold(constraints: readonly Constraint[]): boolean {
  const held = said(constraints, 'min-buffers').reduce((sum, buffers) => sum + buffers, 0);
  return [...said(constraints, 'total'), ...said(constraints, 'count')].every((buffers) => held <= buffers);
}

function imageIsSmallEnough({ content }: Problem, constraints: readonly Constraint[]): boolean {
  return (
    !('format' in content) ||
    (said(constraints, 'max-width').every((maximum) => content.width <= maximum) &&
      said(constraints, 'max-height').every((maximum) => content.height <= maximum))
  );
}

/** Tells of any part of a problem's constraints whether they can hold together, the others being dropped. */
export function judgeOf(problem: Problem, search: Search): (some: readonly Constraint[]) => boolean {
  const geometry = new Map<string, boolean>();
  // Without it, some images are too large for one descriptor; what else is asked is not to blame for that.
  const apart = inForce(problem).filter((c) => c.kind === 'planes-apart' && c.value);
  const places = new Map(allConstraints(problem).map((c, place) => [c, place]));
  const layoutExists = (some: readonly Constraint[], modifier: bigint): boolean => {
    const relevant = some.filter((c) => SHAPES_THE_LAYOUT.has(c.kind));
    const key = `${modifier}: ${relevant.map((c) => places.get(c)).join(' ')}`;
    const known =
      geometry.get(key) ??
      [relevant, [...relevant, ...apart]].some(
        (these) => geometryOf(problem.content, these, search, modifier) !== undefined,
      );
    geometry.set(key, known);
    return known;
  };
  return (some) =>
    countsHold(some) &&
    imageIsSmallEnough(problem, some) &&
    problem.memories.some((memory) =>
      modifiersIn(memory, problem, some).some((modifier) => layoutExists(some, modifier)),
    );
}

const SHAPES_THE_LAYOUT: ReadonlySet<string> = new Set([
  'pitch-multiple',
  'width-multiple',
  'pitch-exact',
  'pitch-linked',
  'pitch-min',
  'pitch-max',
  'offset-multiple',
  'planes-contiguous',
  'planes-apart',
  'height-multiple',
  'size-multiple',
  'size-min',
  'size-extra',
]);

/**
 * Every set with the fewest constraints that cannot hold together, for a problem that has no answer. What cannot be
 * laid out by itself is one set of one constraint, which the problem does not have: the image's own width or height.
 */
export function smallestConflicts(problem: Problem, search: Search): readonly (readonly Constraint[])[] {
  const bare = bareConflict(problem, search);
  if (bare !== undefined) {
    return [[bare]];
  }
  const holds = judgeOf(problem, search);
  const all = allConstraints(problem);
  for (let count = 1; count <= all.length; count += 1) {
    const found = [...choices(all, count)].filter((some) => !holds(some));
    if (found.length > 0) {
      return found;
    }
  }
  return [];
}

function bareConflict(problem: Problem, search: Search): Constraint | undefined {
  const { content } = problem;
  const apart = inForce(problem).filter((c) => c.kind === 'planes-apart' && c.value);
  if (geometryOf(content, apart, search) !== undefined) {
    return undefined;
  }
  const origin = { entry: -1, device: '', source: 'request' };
  if (!('format' in content)) {
    return { kind: 'size', value: content.size, origin };
  }
  const tooWide = content.format.planes.some((shape) => rowBytes(content, shape) > LARGEST_PITCH);
  return tooWide
    ? { kind: 'width', value: content.width, origin }
    : { kind: 'height', value: content.height, origin };
}

function* choices<T>(items: readonly T[], count: number, from = 0): Generator<readonly T[]> {
  if (count === 0) {
    yield [];
    return;
  }
  for (const [place, item] of items.entries()) {
    if (place >= from && place <= items.length - count) {
      for (const rest of choices(items, count - 1, place + 1)) {
        yield [item, ...rest];
      }
    }
  }
}

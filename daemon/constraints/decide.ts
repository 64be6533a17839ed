import { ALL_LIMITS, limitRow } from '../../dbus/limits.js';
import { EVERY_STEP, smallestConflict, type Conflict, type StepAllowance } from './conflict.js';
import { asks, implies, merge, narrowness } from './kinds/index.js';
import { noLimits, type Limits } from './limits.js';
import { isListed } from './listed.js';
import { byPreference, memoryConstraints, memoryServes, offers } from './memory.js';
import {
  best,
  geometryOf,
  LINEAR_ONLY,
  LINEAR_OPTION,
  optionsOf,
  type LaidOut,
  type Option,
} from './options.js';
import type { Constraint, Decision, Layout, Memory, Problem, ConstraintKind } from './constraint-types.js';

/** The origin of what the request itself gives. */
const REQUEST = { entry: -1, device: '', source: 'request' } as const;

/**
 * Decides where and how a buffer is laid out, or why it cannot be.
 * @throws {RangeError} when there is no memory at all to decide about
 */
export function decide(problem: Problem): Decision {
  const steps = decideInSteps(problem);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * The same, pausing now and then while it looks for the reasons of a conflict; finding a layout never pauses.
 * @throws {RangeError} when there is no memory at all to decide about
 */
export function* decideInSteps(
  problem: Problem,
  allowance: StepAllowance = EVERY_STEP,
): Generator<void, Decision> {
  const merged = mergeAll(problem);
  const feasible = answerOf(merged);
  if (feasible !== undefined) return feasible;
  const { items: conflict, isSmallest } = yield* conflictOf(merged, allowance);
  return { feasible: false, conflict, isSmallest, constraints: merged.constraints };
}

type Feasible = Extract<Decision, { feasible: true }>;

/**
 * The layout and its memories; undefined when the constraints cannot hold together. Looks for no reasons.
 * @throws {RangeError} when there is no memory at all to decide about
 */
export const decideIfFeasible = (problem: Problem): Feasible | undefined => answerOf(mergeAll(problem));

function answerOf({ problem, constraints, limits, failing }: Merged): Feasible | undefined {
  return failing.length === 0 ? { feasible: true, ...choose(problem, limits), constraints } : undefined;
}

/** A problem with the ways in which its content could be laid out. */
interface Posed extends Problem {
  readonly options: readonly Option[];
}

/** A problem with what its constraints come to, and the parts that cannot be met. */
interface Merged {
  /** Without the constraints that gave way. */
  readonly problem: Posed;
  /** Those of the memories, too. */
  readonly constraints: readonly Constraint[];
  readonly limits: Limits;
  readonly failing: readonly Part[];
}

function mergeAll(given: Problem): Merged {
  if (given.memories.length === 0) throw new RangeError('no memory to decide about');
  return mergePosed({ ...given, options: optionsOf(given) });
}

function mergePosed(problem: Posed): Merged {
  const constraints = [...problem.constraints, ...problem.memories.flatMap(memoryConstraints)];
  const limits = limitsFor(problem);
  for (const constraint of constraints) merge(limits, constraint);
  if (limits.planesApart) {
    // What is asked of planes in one descriptor does not count here, so that more constraints never leave more room.
    const inForce = problem.constraints.filter(({ orApart }) => orApart === undefined);
    if (inForce.length < problem.constraints.length) return mergePosed({ ...problem, constraints: inForce });
  }
  const failing = partsOf(problem).filter((part) => !part.holds(problem, limits));
  const needs = problem.constraints.filter(({ habit }) => habit === undefined);
  return failing.length > 0 && needs.length < problem.constraints.length
    ? mergePosed({ ...problem, constraints: needs })
    : { problem, constraints, limits, failing };
}

/** Nothing is asked yet. Of all modifiers only those of options count, so that lists of thousands come to these few. */
const limitsFor = ({ options }: Posed): Limits => ({
  ...noLimits(),
  modifiers: options.map(({ modifier }) => modifier),
});

/** Which memories, which modifier and which planes, where limits can be met. */
function choose(
  { content, memories, options }: Posed,
  limits: Limits,
): { layout: Layout; memories: readonly Memory[] } {
  const serving = byPreference(
    memories.filter((memory) => memoryServes(memory, limits)),
    limits,
  );
  const { option, geometry } = chosen(content, options, serving, limits);
  const { size, planes, fdSizes } = geometry;
  if (!('format' in content)) return { layout: { size }, memories: serving };
  const { format, width, height } = content;
  return {
    layout: {
      image: { format: format.fourcc, modifier: option.modifier, width, height, planes },
      size,
      ...(fdSizes && { fdSizes }),
    },
    memories: serving.filter((memory) => memory.modifiers.includes(option.modifier)),
  };
}

/** The best of the first memory that can hold something other than linear, or linear. */
function chosen(
  content: Problem['content'],
  options: readonly Option[],
  serving: readonly Memory[],
  limits: Limits,
): LaidOut {
  const isImage = 'format' in content;
  const possible = options.flatMap((option): readonly LaidOut[] => {
    if (isImage && !serving.some((memory) => offers(memory, option, limits))) return [];
    const geometry = geometryOf(content, limits, option);
    return 'failed' in geometry ? [] : [{ option, geometry }];
  });
  const found =
    options === LINEAR_ONLY
      ? possible[0]
      : (serving
          .flatMap((memory) => best(possible, memory) ?? [])
          .find(({ option }) => option.tiling !== undefined) ?? possible[0]);
  if (found === undefined) throw new RangeError('limits that hold give no layout');
  return found;
}

/** The smallest set of constraints that cannot hold together: the smallest of those of the parts that fail. */
function* conflictOf(
  { problem, constraints, failing }: Merged,
  allowance: StepAllowance,
): Generator<void, Conflict<Constraint>> {
  // Some images are too large for one descriptor alone: planes that are asked to be apart count as being so.
  const isApart = constraints.some(({ kind, value }) => kind === 'planes-apart' && value);
  const alone = geometryOf(problem.content, { ...noLimits(), planesApart: isApart }, LINEAR_OPTION);
  if ('failed' in alone)
    return { items: [contentConstraint(problem.content, alone.failed)], isSmallest: true };
  const holds = (part: Part, limits: Limits): boolean =>
    part.holds(problem, limits) || (isApart && part.holds(problem, { ...limits, planesApart: true }));
  let smallest: readonly Constraint[] | undefined;
  let isSmallest = true;
  const given = new Map(constraints.map((constraint) => [shortened(constraint, problem), constraint]));
  for (const part of failing) {
    const items = yield* strongest([...given.keys()].filter(({ kind }) => part.kinds.has(kind)));
    const merging = {
      empty: limitsFor(problem),
      add(limits: Limits, constraint: Constraint): Limits {
        const more = { ...limits };
        merge(more, constraint);
        return more;
      },
      holds: (limits: Limits): boolean => holds(part, limits),
    };
    const conflict = yield* smallestConflict(items, merging, { allowance });
    isSmallest &&= conflict.isSmallest;
    if (smallest === undefined || conflict.items.length < smallest.length) smallest = conflict.items;
  }
  const items = [...given].flatMap(([short, constraint]) =>
    smallest?.includes(short) === true ? constraint : [],
  );
  return { items, isSmallest };
}

/** A long list of modifiers without those that no option has, as they decide nothing. */
function shortened(constraint: Constraint, { options }: Posed): Constraint {
  const { kind, value, memory } = constraint;
  if ((kind !== 'modifiers' && kind !== 'formats') || memory !== undefined || value.length <= options.length)
    return constraint;
  const left = options.flatMap(({ modifier }) => (isListed(value, modifier) ? modifier : []));
  return { ...constraint, kind, value: left };
}

/** Names what of the request itself is too large for any layout. */
function contentConstraint(content: Problem['content'], failed: 'width' | 'height' | 'size'): Constraint {
  if (!('format' in content)) return { kind: 'size', value: content.size, origin: REQUEST };
  return failed === 'width'
    ? { kind: 'width', value: content.width, origin: REQUEST }
    : { kind: 'height', value: content.height, origin: REQUEST };
}

/**
 * Leaves out what another constraint says as well: a smallest conflict never needs it, and the search is shorter.
 * The narrowest come first.
 */
function* strongest(constraints: readonly Constraint[]): Generator<void, readonly Constraint[]> {
  let kept: readonly Constraint[] = [];
  for (const constraint of constraints) {
    yield;
    if (!asks(constraint) || kept.some((other) => implies(other, constraint))) continue;
    kept = [...kept.filter((other) => !implies(constraint, other)), constraint];
  }
  return kept.toSorted((a, b) => narrowness(b) - narrowness(a));
}

/**
 * A decision falls into parts that share no constraint: how many buffers, which memory with which modifier, and where
 * the planes lie. A problem can be solved exactly when each part can, so that a conflict lies within one of them. Where an
 * image could have tiles, the last two are one part: which planes it has depends on the modifier.
 */
interface Part {
  readonly kinds: ReadonlySet<ConstraintKind>;
  holds(problem: Posed, limits: Limits): boolean;
}

/** The limits that the table gives to one part. */
const limitsOf = (part: ReturnType<typeof limitRow>['part']): readonly ConstraintKind[] =>
  ALL_LIMITS.filter((limit) => limitRow(limit).part === part);

/** What speaks of the number of buffers. */
export const COUNT_KINDS: ReadonlySet<ConstraintKind> = new Set([
  ...limitsOf('count'),
  'total',
  'count',
  'spare',
  'count-min',
  'count-max',
  'max-buffers',
]);

const number: Part = {
  kinds: COUNT_KINDS,
  holds: (_problem, { minBuffers, spareBuffers, countMin, maxBuffers }) =>
    Math.max(minBuffers + spareBuffers, countMin) <= maxBuffers,
};

const memory: Part = {
  kinds: new Set([...limitsOf('memory'), 'formats', 'modifiers', 'reach']),
  holds: ({ content, memories }, limits) =>
    memories.some(
      (candidate) =>
        memoryServes(candidate, limits) &&
        (!('format' in content) || offers(candidate, LINEAR_OPTION, limits)),
    ),
};

const geometry: Part = {
  kinds: new Set(limitsOf('layout')),
  holds: ({ content }, limits) => !('failed' in geometryOf(content, limits, LINEAR_OPTION)),
};

const tiles: Part = {
  kinds: new Set([...memory.kinds, ...geometry.kinds]),
  holds({ content, memories, options }, limits) {
    const serving = memories.filter((candidate) => memoryServes(candidate, limits));
    // Modifiers that differ in the order of pixels alone share a tiling.
    const failed: Option['tiling'][] = [];
    return options.some((option) => {
      if (failed.includes(option.tiling)) return false;
      if (!serving.some((candidate) => offers(candidate, option, limits))) return false;
      if (!('failed' in geometryOf(content, limits, option))) return true;
      failed.push(option.tiling);
      return false;
    });
  },
};

const PARTS: readonly Part[] = [number, memory, geometry];
const TILED_PARTS: readonly Part[] = [number, tiles];

const partsOf = ({ options }: Posed): readonly Part[] => (options === LINEAR_ONLY ? PARTS : TILED_PARTS);

import { smallestConflict } from './conflict.js';
import { asks, implies, merge } from './kinds/index.js';
import { layoutBytes, layoutImage, type Geometry } from './layout.js';
import { noLimits, type Limits } from './limits.js';
import { byPreference, memoryConstraints, memoryServes, preferredModifier } from './memory.js';
import type { Constraint, Decision, Layout, Memory, Problem } from './types.js';

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

/** The same, pausing now and then while it looks for the reasons of a conflict; finding a layout never pauses. */
export function* decideInSteps(problem: Problem): Generator<void, Decision> {
  if (problem.memories.length === 0) throw new RangeError('no memory to decide about');
  const constraints = [...problem.constraints, ...problem.memories.flatMap(memoryConstraints)];
  const limits = noLimits();
  for (const constraint of constraints) merge(limits, constraint);
  const outcome = judge(problem, limits);
  if (outcome.ok) return { feasible: true, layout: outcome.layout, memories: outcome.memories, constraints };
  return { feasible: false, conflict: yield* conflictOf(problem, constraints), constraints };
}

type Outcome =
  | { readonly ok: true; readonly layout: Layout; readonly memories: readonly Memory[] }
  | { readonly ok: false };

const FAILED: Outcome = { ok: false };

/** The one place that says whether merged limits can be met, and how. */
function judge({ content, memories }: Problem, limits: Limits): Outcome {
  if (limits.minBuffers > limits.maxBuffers) return FAILED;
  const isImage = 'format' in content;
  const serving = memories.filter((memory) => memoryServes(memory, isImage, limits));
  if (serving.length === 0) return FAILED;
  const geometry = geometryOf(content, limits);
  if ('failed' in geometry) return FAILED;
  const ordered = byPreference(serving, limits);
  const { size, planes } = geometry;
  if (!isImage) return { ok: true, layout: { size }, memories: ordered };
  const modifier = preferredModifier(ordered, limits);
  const { format, width, height } = content;
  const layout: Layout = { image: { format: format.fourcc, modifier, width, height, planes }, size };
  return { ok: true, layout, memories: ordered.filter((memory) => memory.modifiers.includes(modifier)) };
}

const geometryOf = (content: Problem['content'], limits: Limits): Geometry =>
  'format' in content ? layoutImage(content, limits) : layoutBytes(content.size, limits);

/** The smallest set of constraints that cannot hold together. */
function* conflictOf(
  problem: Problem,
  constraints: readonly Constraint[],
): Generator<void, readonly Constraint[]> {
  const alone = geometryOf(problem.content, noLimits());
  if ('failed' in alone) return [contentConstraint(problem.content, alone.failed)];
  return yield* smallestConflict(strongest(constraints), {
    empty: noLimits(),
    add(limits, constraint) {
      const more = { ...limits };
      merge(more, constraint);
      return more;
    },
    holds: (limits) => holds(problem, limits),
  });
}

/** Whether limits can be met, asked of some of the constraints; those of a memory may be among the missing. */
function holds({ content, memories }: Problem, limits: Limits): boolean {
  return (
    limits.minBuffers <= limits.maxBuffers &&
    memories.some((memory) => memoryServes(memory, 'format' in content, limits)) &&
    !('failed' in geometryOf(content, limits))
  );
}

/** Names what of the request itself is too large for any layout. */
function contentConstraint(content: Problem['content'], failed: 'width' | 'height' | 'size'): Constraint {
  if (!('format' in content)) return { kind: 'size', value: content.size, origin: REQUEST };
  return failed === 'width'
    ? { kind: 'width', value: content.width, origin: REQUEST }
    : { kind: 'height', value: content.height, origin: REQUEST };
}

/** Leaves out what another constraint says as well: a smallest conflict never needs it, and the search is shorter. */
function strongest(constraints: readonly Constraint[]): readonly Constraint[] {
  const kept: Constraint[] = [];
  for (const constraint of constraints) {
    if (!asks(constraint) || kept.some((other) => implies(other, constraint))) continue;
    const stays = kept.filter((other) => !implies(constraint, other));
    kept.splice(0, kept.length, ...stays, constraint);
  }
  return kept;
}

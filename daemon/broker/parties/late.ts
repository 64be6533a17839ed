import { isDeepStrictEqual } from 'node:util';

import type { ConstraintKind, Problem } from '../../constraints/constraint-types.js';
import { decideInSteps } from '../../constraints/decide.js';
import type { Snapshot } from '../snapshot.js';
import type { Member, Proposal } from './party-types.js';
import type { Generation, Running } from './running.js';
import { countOf, poseSet, setRequest } from './set-request.js';

const COUNTS: ReadonlySet<ConstraintKind> = new Set([
  'min-buffers',
  'spare',
  'count-min',
  'count-max',
  'max-buffers',
  'count',
]);

/**
 * The first alternative of a late party that suits the buffers that there are; undefined when none does. It does where its
 * needs beside those that the buffers were made for give the same layout in the same memory, and the counts of those that
 * are still there leave room for its own.
 */
export function fitsLate(
  number: number,
  proposal: Proposal,
  running: Running,
  generation: Generation,
  snapshot: Snapshot,
): number | undefined {
  const late = { number, isOptional: true, proposal };
  return [...proposal.alternatives.keys()].find(
    (alternative) =>
      hasLayout(late, alternative, generation, snapshot) &&
      leavesRoom(late, alternative, running, generation, snapshot),
  );
}

function hasLayout(
  late: Member,
  alternative: number,
  { layout, spec, request, allocation }: Generation,
  snapshot: Snapshot,
): boolean {
  const own = setRequest([late], new Map([[late.number, alternative]]));
  // The layout was also made for those that have left since.
  const all = { entries: [...request.entries, ...own.entries], places: [], needs: [] };
  const first = decideInSteps(withoutCounts(poseSet(spec, all, layout.image?.format, snapshot))).next();
  if (first.done !== true || !first.value.feasible) return false;
  const { layout: found, memories } = first.value;
  return (
    isDeepStrictEqual(found.image, layout.image) &&
    isDeepStrictEqual(found.fdSizes, layout.fdSizes) &&
    found.size <= layout.size &&
    memories.some(({ handle }) => handle === allocation.terms.pool.handle)
  );
}

function leavesRoom(
  late: Member,
  alternative: number,
  { collection }: Running,
  { layout, spec }: Generation,
  snapshot: Snapshot,
): boolean {
  const others = collection.seats.flatMap(({ number, granted }) =>
    granted === undefined || number === late.number ? [] : [{ number, isOptional: true, ...granted }],
  );
  const chosen = others.map((other) => [other.number, other.alternative] as const);
  const all = setRequest([...others, late], new Map([...chosen, [late.number, alternative]]));
  const { constraints } = poseSet(spec, all, layout.image?.format, snapshot);
  const free = { content: spec.content, formats: spec.formats };
  return (
    countOf(free, constraints) <= layout.count &&
    constraints.every(({ kind, value }) => kind !== 'count-max' || value >= layout.count)
  );
}

const withoutCounts = (problem: Problem): Problem => ({
  ...problem,
  constraints: problem.constraints.filter(({ kind }) => !COUNTS.has(kind)),
});

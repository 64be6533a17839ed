import { isDeepStrictEqual } from 'node:util';

import type { Problem } from '../../constraints/constraint-types.js';
import { COUNT_KINDS, decideIfFeasible } from '../../constraints/decide.js';
import type { Steps } from '../searches.js';
import type { Snapshot } from '../snapshot.js';
import type { Collection } from './collection.js';
import type { Member, Proposal } from './party-types.js';
import type { Generation, Running } from './running.js';
import { countOf, poseSet, setRequest } from './set-request.js';

/**
 * The first alternative of a late party that suits the buffers that there are; undefined when none does. It does where its
 * needs beside those that the buffers were made for give the same layout in the same memory, and the counts of those that
 * are still there leave room for its own.
 */
export function* fitsLate(
  number: number,
  proposal: Proposal,
  { collection }: Running,
  generation: Generation,
  snapshot: Snapshot,
): Steps<number | undefined> {
  const late = { number, isOptional: true, proposal };
  for (const alternative of proposal.alternatives.keys()) {
    yield;
    if (!hasLayout(late, alternative, generation, snapshot)) continue;
    yield;
    if (leavesRoom(late, alternative, collection, generation, snapshot)) return alternative;
  }
  return undefined;
}

function hasLayout(
  late: Member,
  alternative: number,
  { layout, spec, request, allocation }: Generation,
  snapshot: Snapshot,
): boolean {
  const own = setRequest([late], new Map([[late.number, alternative]]));
  // The layout was also made for those that have left since.
  const all = {
    entries: [...request.entries, ...own.entries],
    places: [...request.places, ...own.places],
    needs: [],
  };
  const decision = decideIfFeasible(withoutCounts(poseSet(spec, all, layout.image?.format, snapshot)));
  if (decision === undefined) return false;
  const { layout: found, memories } = decision;
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
  collection: Collection,
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
  constraints: problem.constraints.filter(({ kind }) => !COUNT_KINDS.has(kind)),
});

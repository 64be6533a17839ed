import { decideInSteps } from '../constraints/decide.js';
import type { Decision, Problem } from '../constraints/constraint-types.js';
import type { Decided } from './decisions.js';
import { pose } from './problem.js';
import type { NewRequest } from './broker-types.js';
import type { Snapshot } from './snapshot.js';
import type { Steps } from './searches.js';

/** Runs what takes long between other things. */
export type RunSteps = <T>(steps: Steps<T>) => Promise<T>;

/**
 * What is decided of a request under a snapshot.
 * @throws {BrokerError} for what is wrong with the request itself, and what `run` throws
 */
export async function decideRequest(
  request: NewRequest,
  snapshot: Snapshot,
  run: RunSteps,
): Promise<Decided> {
  const known = snapshot.decisions.of(request);
  if (known !== undefined) return known;
  const posed = pose(request, snapshot);
  return snapshot.decisions.keep(request, posed, await solve(posed.problem, run));
}

/** A layout is found in the first step; only the search for a conflict's reasons goes on. */
async function solve(problem: Problem, run: RunSteps): Promise<Decision> {
  const steps = decideInSteps(problem);
  const first = steps.next();
  return first.done === true ? first.value : run(steps);
}

import { decideInSteps } from '../constraints/decide.js';
import type { Decision, Problem } from '../constraints/constraint-types.js';
import { noFindings, type Decided } from './decisions.js';
import { fittingCount } from './fitting-count.js';
import { pose } from './problem.js';
import type { NewRequest } from './broker-types.js';
import type { Snapshot } from './snapshot.js';
import type { StepRunner } from './searches.js';

/**
 * What is decided of a request under a snapshot.
 * @throws {BrokerError} for what is wrong with the request itself, and what `run` throws
 */
export async function decideRequest(
  request: NewRequest,
  snapshot: Snapshot,
  runner: StepRunner,
): Promise<Decided> {
  const known = snapshot.decisions.of(request);
  if (known !== undefined) return known;
  const posed = pose(request, snapshot);
  const decision = await solve(posed.problem, runner);
  if (decision.feasible) {
    const count = fittingCount(request, posed.count, decision.layout);
    return snapshot.decisions.keep(request, { ...posed, count }, decision);
  }
  // What one user's searches cut short is no answer for another.
  return decision.isSmallest
    ? snapshot.decisions.keep(request, posed, decision)
    : { ...posed, decision, findings: noFindings() };
}

/** A layout is found in the first step; only the search for a conflict's reasons goes on. */
async function solve(problem: Problem, { run, allowance }: StepRunner): Promise<Decision> {
  const steps = decideInSteps(problem, allowance);
  const first = steps.next();
  return first.done === true ? first.value : run(steps);
}

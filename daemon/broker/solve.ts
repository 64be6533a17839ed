import { setImmediate as othersFirst } from 'node:timers/promises';

import { decideInSteps } from '../constraints/decide.js';
import type { Decision, Problem } from '../constraints/constraint-types.js';
import type { Decided } from './decisions.js';
import { pose } from './problem.js';
import type { NewRequest } from './broker-types.js';
import type { Snapshot } from './snapshot.js';

/**
 * What is decided of a request in a world.
 * @throws {BrokerError} for what is wrong with the request itself
 */
export async function decideRequest(request: NewRequest, snapshot: Snapshot): Promise<Decided> {
  const known = snapshot.decisions.of(request);
  if (known !== undefined) return known;
  const posed = pose(request, snapshot);
  return snapshot.decisions.keep(request, posed, await solve(posed.problem));
}

/** Decides a problem, letting others run wherever the search for a conflict's reasons pauses. */
async function solve(problem: Problem): Promise<Decision> {
  const steps = decideInSteps(problem);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    await othersFirst();
  }
}

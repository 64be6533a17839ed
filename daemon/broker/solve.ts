import { setImmediate as othersFirst } from 'node:timers/promises';

import { decideInSteps } from '../constraints/decide.js';
import type { Decision, Problem } from '../constraints/types.js';
import type { Decided } from './decisions.js';
import { pose } from './problem.js';
import type { NewRequest } from './types.js';
import type { World } from './world.js';

/**
 * What is decided of a request in a world.
 * @throws {BrokerError} for what is wrong with the request itself
 */
export async function decideRequest(request: NewRequest, world: World): Promise<Decided> {
  const known = world.decisions.of(request);
  if (known !== undefined) return known;
  const posed = pose(request, world);
  return world.decisions.keep(request, posed, await solve(posed.problem));
}

/** Decides a problem, letting others run wherever the search for a conflict's reasons pauses. */
async function solve(problem: Problem): Promise<Decision> {
  const steps = decideInSteps(problem);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    await othersFirst();
  }
}

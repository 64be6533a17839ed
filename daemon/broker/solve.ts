import { setImmediate as othersFirst } from 'node:timers/promises';

import { decideInSteps } from '../constraints/decide.js';
import type { Decision, Problem } from '../constraints/types.js';

/** Decides a problem, letting others run wherever the search for a conflict's reasons pauses. */
export async function solve(problem: Problem): Promise<Decision> {
  const steps = decideInSteps(problem);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    await othersFirst();
  }
}

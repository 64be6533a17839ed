import { setImmediate as othersFirst } from 'node:timers/promises';

import { decideInSteps } from '../constraints/decide.js';
import type { Constraint, Problem } from '../constraints/types.js';
import { constraintText, type ClassOf } from './text.js';

/** What the client could leave out of its own limits, each tried: without it the rest can be had. */
export async function suggestions(
  problem: Problem,
  conflict: readonly Constraint[],
  classOf: ClassOf,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const wish of conflict) {
    if (!problem.constraints.includes(wish)) continue;
    if (wish.origin.source !== 'client' && wish.origin.source !== 'request') continue;
    await othersFirst();
    const constraints = problem.constraints.filter((constraint) => constraint !== wish);
    // A layout is found in the first step; what comes after it looks for reasons, which nobody asked for here.
    const first = decideInSteps({ ...problem, constraints }).next();
    if (first.done === true && first.value.feasible) {
      found.push(`Without ${constraintText(wish, classOf)} it can be had.`);
    }
  }
  return found;
}

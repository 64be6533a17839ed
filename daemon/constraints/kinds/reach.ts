import { intersect, isSubset, type Rule } from './rule.js';

/** Memories that a participant can reach: what all of them reach. */
export const reach: Rule<'reach'> = {
  merge(into, value) {
    into.reach = intersect(into.reach, value);
  },
  implies: isSubset,
};

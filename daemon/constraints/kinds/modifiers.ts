import { limitMemory } from '../limits.js';
import { intersect, isSubset, type Rule } from './rule.js';

/** Format modifiers that a participant takes, the request allows, or a memory can lay out: what all of them list. */
export const modifiers: Rule<'modifiers'> = {
  merge(into, value, _origin, memory) {
    if (memory === undefined) into.modifiers = intersect(into.modifiers, value);
    else limitMemory(into, memory, { modifiers: value });
  },
  implies: isSubset,
};

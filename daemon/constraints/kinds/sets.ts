/** Kinds that list what is accepted: what stands in all lists is left. */
import { limitMemory } from '../limits.js';
import type { Rule } from './rule.js';

const isSubset = <T>(a: readonly T[], b: readonly T[]): boolean => {
  if (a.length > b.length) return false;
  const all = new Set(b);
  return a.every((item) => all.has(item));
};

/** What stands in both lists, in the order of the first; the second alone while there is no first. */
export function intersect<T>(merged: readonly T[] | undefined, list: readonly T[]): readonly T[] {
  if (merged === undefined) return list;
  // Short lists are the rule, and there scanning beats building a set.
  if (list.length <= 16) return merged.filter((item) => list.includes(item));
  const allowed = new Set(list);
  return merged.filter((item) => allowed.has(item));
}

/** Modifiers with which a device takes the request's format. */
export const formats: Rule<'formats'> = {
  implies: isSubset,
  merge(into, value) {
    into.modifiers = intersect(into.modifiers, value);
  },
};

/** Format modifiers that a participant takes, the request allows, or a memory can lay out. */
export const modifiers: Rule<'modifiers'> = {
  implies: isSubset,
  merge(into, value, _origin, memory) {
    if (memory === undefined) into.modifiers = intersect(into.modifiers, value);
    else limitMemory(into, memory, { modifiers: value });
  },
};

/** Memories that a participant can reach. */
export const reach: Rule<'reach'> = {
  implies: isSubset,
  merge(into, value) {
    into.reach = intersect(into.reach, value);
  },
};

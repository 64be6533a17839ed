/** Kinds that list what is accepted: what stands in all lists is left. */
import { limitMemory } from '../limits.js';
import { isListed } from '../listed.js';
import type { Rule } from './rule.js';

const isSubset = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length <= b.length && a.every((item) => isListed(b, item));

/** What stands in both lists, in the order of the first; the second alone while there is no first. */
export const intersect = <T>(merged: readonly T[] | undefined, list: readonly T[]): readonly T[] =>
  merged === undefined ? list : merged.filter((item) => isListed(list, item));

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

import { intersect, isSubset, type Rule } from './rule.js';

/** Modifiers with which a device takes the request's format: what all devices list. */
export const formats: Rule<'formats'> = {
  merge(into, value) {
    into.modifiers = intersect(into.modifiers, value);
  },
  implies: isSubset,
};

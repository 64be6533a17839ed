import type { Rule } from './rule.js';

/** The image is at most so many pixels in height: the smallest maximum counts. */
export const maxHeight: Rule<'max-height'> = {
  merge(into, value) {
    into.maxHeight = Math.min(into.maxHeight, value);
  },
  implies: (a, b) => a <= b,
};

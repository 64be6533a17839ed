import type { Rule } from './rule.js';

/** The image is at most so many pixels in width: the smallest maximum counts. */
export const maxWidth: Rule<'max-width'> = {
  merge(into, value) {
    into.maxWidth = Math.min(into.maxWidth, value);
  },
  implies: (a, b) => a <= b,
};

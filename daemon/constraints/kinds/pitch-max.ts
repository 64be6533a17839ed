import type { Rule } from './rule.js';

/** No plane's pitch is larger: the smallest maximum counts. */
export const pitchMax: Rule<'pitch-max'> = {
  merge(into, value) {
    into.pitchMax = Math.min(into.pitchMax, value);
  },
  implies: (a, b) => a <= b,
};

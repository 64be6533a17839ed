import type { Rule } from './rule.js';

/** No plane's pitch is smaller: the largest minimum counts. */
export const pitchMin: Rule<'pitch-min'> = {
  merge(into, value) {
    into.pitchMin = Math.max(into.pitchMin, value);
  },
  implies: (a, b) => a >= b,
};

import type { Rule } from './rule.js';

/** Every pitch is exactly its row rounded up to the step: each step is a demand of its own, which no merging rounds up. */
export const pitchExact: Rule<'pitch-exact'> = {
  merge(into, value) {
    if (!into.pitchExact.includes(value)) into.pitchExact = [...into.pitchExact, value];
  },
  implies: (a, b) => a === b,
};

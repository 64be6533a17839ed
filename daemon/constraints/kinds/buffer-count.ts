import type { Rule } from './rule.js';

/** How many buffers the whole set has, as the request says (`total`, or `count` where that is all it says). */
export const bufferCount: Rule<'total'> & Rule<'count'> = {
  merge(into, value) {
    into.maxBuffers = Math.min(into.maxBuffers, value);
  },
  implies: (a, b) => a <= b,
};

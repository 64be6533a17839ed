import { lcm } from '../integers.js';
import type { Rule } from './rule.js';

/** The whole size is a multiple: of several the least common multiple. */
export const sizeMultiple: Rule<'size-multiple'> = {
  merge(into, value) {
    into.sizeMultiple = lcm(into.sizeMultiple, value);
  },
  implies: (a, b) => a % b === 0n,
  asks: (value) => value > 1n,
};

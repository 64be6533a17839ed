import { lcm } from '../integers.js';
import type { Rule } from './rule.js';

/** Every plane starts at a multiple: of several the least common multiple. */
export const offsetMultiple: Rule<'offset-multiple'> = {
  merge(into, value) {
    into.offsetMultiple = lcm(into.offsetMultiple, BigInt(value));
  },
  implies: (a, b) => a % b === 0,
  asks: (value) => value > 1,
};

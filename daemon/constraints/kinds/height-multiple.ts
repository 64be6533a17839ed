import { lcm } from '../integers.js';
import type { Rule } from './rule.js';

/** The image's rows are rounded up to a multiple before chroma is divided: of several the least common multiple. */
export const heightMultiple: Rule<'height-multiple'> = {
  merge(into, value) {
    into.heightMultiple = lcm(into.heightMultiple, BigInt(value));
  },
  implies: (a, b) => a % b === 0,
  asks: (value) => value > 1,
};

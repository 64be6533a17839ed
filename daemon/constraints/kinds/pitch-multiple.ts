import { pitchLcm } from '../integers.js';
import type { Rule } from './rule.js';

/** Every plane's pitch is a multiple: of several the least common multiple. */
export const pitchMultiple: Rule<'pitch-multiple'> = {
  merge(into, value) {
    if (into.pitchMultiple !== Infinity) into.pitchMultiple = pitchLcm(into.pitchMultiple, value);
  },
  implies: (a, b) => a % b === 0,
  asks: (value) => value > 1,
};

import type { Rule } from './rule.js';

/** The pitches of a format's planes follow plane 0 as soon as one participant asks for it. */
export const pitchLinked: Rule<'pitch-linked'> = {
  merge(into, value) {
    into.pitchLinked ||= value;
  },
  implies: (a, b) => a || !b,
  asks: (value) => value,
};

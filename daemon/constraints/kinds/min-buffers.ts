import { never, type Rule } from './rule.js';

/** Buffers that participants hold on to at once: they add up, so that none makes another superfluous. */
export const minBuffers: Rule<'min-buffers'> = {
  merge(into, value) {
    into.minBuffers += value;
  },
  implies: never,
  asks: (value) => value > 0,
};

import { limitMemory } from '../limits.js';
import type { Rule } from './rule.js';

/** One participant that needs contiguous memory makes it needed; a memory that is not contiguous then will not do. */
export const contiguous: Rule<'contiguous'> = {
  merge(into, value, _origin, memory) {
    if (memory === undefined) into.contiguous ||= value;
    else limitMemory(into, memory, { scattered: !value });
  },
  implies: (a, b) => a === b,
  asks: (value, _origin, memory) => value === (memory === undefined),
};

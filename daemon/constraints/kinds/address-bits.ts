import { limitMemory } from '../limits.js';
import type { Rule } from './rule.js';

/** Participants: memory below 2^value, the smallest counts. A memory: it reaches as high as 2^value. */
export const addressBits: Rule<'address-bits'> = {
  merge(into, value, _origin, memory) {
    if (memory === undefined) into.addressBits = Math.min(into.addressBits, value);
    else limitMemory(into, memory, { addressBits: value });
  },
  implies: (a, b) => a <= b,
};

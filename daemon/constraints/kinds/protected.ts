import { limitMemory } from '../limits.js';
import type { Origin } from '../types.js';
import type { Rule } from './rule.js';

/** A client that says `protected: false` asks for nothing; a device that says so cannot touch protected memory. */
const forbids = (value: boolean, origin: Origin): boolean => !value && origin.source !== 'client';

/** One participant that needs protected memory makes it needed; one that cannot touch it rules it out. */
export const protectedMemory: Rule<'protected'> = {
  merge(into, value, origin, memory) {
    if (memory !== undefined) limitMemory(into, memory, { unprotected: !value });
    else if (value) into.protected = true;
    else if (forbids(value, origin)) into.unprotected = true;
  },
  implies: (a, b) => a === b,
  asks: (value, origin, memory) => (memory === undefined ? value || forbids(value, origin) : !value),
};

/** Kinds that are asked for or not: one participant that asks is enough. */
import { limitMemory } from '../limits.js';
import type { Origin } from '../constraint-types.js';
import { equal, type Rule } from './rule.js';

const flag = {
  implies: (a: boolean, b: boolean): boolean => a || !b,
  asks: (value: boolean): boolean => value,
};

/** The pitches of a format's planes follow plane 0. */
export const pitchLinked: Rule<'pitch-linked'> = {
  ...flag,
  merge(into, value) {
    into.pitchLinked ||= value;
  },
};

/**
 * Each plane begins where the one before it ends. Its rows are then exactly those that the participant counts, and no
 * merging may round them further up.
 */
export const planesContiguous: Rule<'planes-contiguous'> = {
  ...flag,
  merge(into, value, _origin, _memory, { rows = 1 }) {
    const step = BigInt(rows);
    if (value && !into.contiguousRows.includes(step)) into.contiguousRows = [...into.contiguousRows, step];
  },
};

/** A client that says `false` asks for nothing; a device that says so does not take it. */
const forbids = (value: boolean, origin: Origin): boolean => !value && origin.source !== 'client';

/** Each plane has a descriptor of its own; a device may need that, or take all planes in one only. */
export const planesApart: Rule<'planes-apart'> = {
  implies: equal,
  asks: (value, origin) => value || forbids(value, origin),
  merge(into, value, origin) {
    if (value) into.planesApart = true;
    else if (forbids(value, origin)) into.planesTogether = true;
  },
};

/** Participants: contiguous memory is needed. A memory that is not contiguous then will not do. */
export const contiguous: Rule<'contiguous'> = {
  implies: equal,
  asks: (value, _origin, memory) => value === (memory === undefined),
  merge(into, value, _origin, memory) {
    if (memory === undefined) into.contiguous ||= value;
    else limitMemory(into, memory, { scattered: !value });
  },
};

/** Participants: protected memory is needed, or cannot be touched. */
export const protectedMemory: Rule<'protected'> = {
  implies: equal,
  asks: (value, origin, memory) => (memory === undefined ? value || forbids(value, origin) : !value),
  merge(into, value, origin, memory) {
    if (memory !== undefined) limitMemory(into, memory, { unprotected: !value });
    else if (value) into.protected = true;
    else if (forbids(value, origin)) into.unprotected = true;
  },
};

/** Kinds that bound a number: of several maxima the smallest counts, of several minima the largest. */
import { limitMemory } from '../limits.js';
import { never, type Rule } from './rule.js';

const maximum = { implies: (a: number, b: number): boolean => a <= b, smallerIsNarrower: true } as const;
const minimum = { implies: (a: number, b: number): boolean => a >= b } as const;

/** No plane's pitch is smaller. */
export const pitchMin: Rule<'pitch-min'> = {
  ...minimum,
  merge(into, value) {
    into.pitchMin = Math.max(into.pitchMin, value);
  },
};

/** No plane's pitch is larger. */
export const pitchMax: Rule<'pitch-max'> = {
  ...maximum,
  merge(into, value) {
    into.pitchMax = Math.min(into.pitchMax, value);
  },
};

/** The whole buffer is no smaller, whatever lies in it. */
export const sizeMin: Rule<'size-min'> = {
  implies: (a, b) => a >= b,
  merge(into, value) {
    if (value > into.sizeMin) into.sizeMin = value;
  },
};

/** So many bytes follow the last plane; what one device reads there, another may read as well. */
export const sizeExtra: Rule<'size-extra'> = {
  implies: (a, b) => a >= b,
  merge(into, value) {
    if (value > into.sizeExtra) into.sizeExtra = value;
  },
};

/** The image is at most so many pixels wide. */
export const maxWidth: Rule<'max-width'> = {
  ...maximum,
  merge(into, value) {
    into.maxWidth = Math.min(into.maxWidth, value);
  },
};

/** The image is at most so many pixels tall. */
export const maxHeight: Rule<'max-height'> = {
  ...maximum,
  merge(into, value) {
    into.maxHeight = Math.min(into.maxHeight, value);
  },
};

/** Participants: memory below 2^value. A memory: it reaches as high as 2^value. */
export const addressBits: Rule<'address-bits'> = {
  ...maximum,
  merge(into, value, _origin, memory) {
    if (memory === undefined) into.addressBits = Math.min(into.addressBits, value);
    else limitMemory(into, memory, { addressBits: value });
  },
};

/** How many buffers the whole set has, or may have at most. */
export const bufferCount: Rule<'total'> & Rule<'count'> & Rule<'count-max'> & Rule<'max-buffers'> = {
  ...maximum,
  merge(into, value) {
    into.maxBuffers = Math.min(into.maxBuffers, value);
  },
};

/** Of all parties the largest counts, once. */
export const spareBuffers: Rule<'spare'> = {
  ...minimum,
  asks: (value) => value > 0,
  merge(into, value) {
    into.spareBuffers = Math.max(into.spareBuffers, value);
  },
};

/** Buffers in all, at least. */
export const countMin: Rule<'count-min'> = {
  ...minimum,
  merge(into, value) {
    into.countMin = Math.max(into.countMin, value);
  },
};

/** Buffers that participants hold on to at once: they add up, so that none makes another superfluous. */
export const minBuffers: Rule<'min-buffers'> = {
  implies: never,
  asks: (value) => value > 0,
  merge(into, value) {
    into.minBuffers += value;
  },
};

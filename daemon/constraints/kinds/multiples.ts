/** Kinds that ask for a multiple: of several the least common multiple counts, and 1 asks for nothing. */
import { lcm, pitchLcm, pixelLcm } from '../integers.js';
import { equal, type Rule } from './rule.js';

const multiple = {
  implies: (a: number, b: number): boolean => a % b === 0,
  asks: (value: number): boolean => value > 1,
} as const;

/** Every plane's pitch is a multiple, in bytes; where the constraint says so, only a pitch above a size. */
export const pitchMultiple: Rule<'pitch-multiple'> = {
  ...multiple,
  merge(into, value, _origin, _memory, { above }) {
    if (above !== undefined) into.pitchAbove = [...into.pitchAbove, { above, multiple: value }];
    else if (into.pitchMultiple !== Infinity) into.pitchMultiple = pitchLcm(into.pitchMultiple, value);
  },
};

/** Every pitch holds a multiple of so many pixels of the image, and so, with 1, whole samples of its plane. */
export const widthMultiple: Rule<'width-multiple'> = {
  implies: (a, b) => a % b === 0,
  merge(into, value) {
    into.widthMultiple = into.widthMultiple === 0 ? value : pixelLcm(into.widthMultiple, value);
  },
};

/** Every plane starts at a multiple, in bytes. */
export const offsetMultiple: Rule<'offset-multiple'> = {
  ...multiple,
  merge(into, value) {
    into.offsetMultiple = lcm(into.offsetMultiple, BigInt(value));
  },
};

/** The image's rows are rounded up to a multiple before chroma is divided. */
export const heightMultiple: Rule<'height-multiple'> = {
  ...multiple,
  merge(into, value) {
    into.heightMultiple = lcm(into.heightMultiple, BigInt(value));
  },
};

/** The whole size is a multiple, in bytes. */
export const sizeMultiple: Rule<'size-multiple'> = {
  merge(into, value) {
    into.sizeMultiple = lcm(into.sizeMultiple, value);
  },
  implies: (a, b) => a % b === 0n,
  asks: (value) => value > 1n,
};

/**
 * Every pitch is exactly its row rounded up to the step. No merging may round further up, so that each step stays a
 * demand of its own; a step of 1 asks for rows with nothing between them.
 */
export const pitchExact: Rule<'pitch-exact'> = {
  merge(into, value) {
    if (!into.pitchExact.includes(value)) into.pitchExact = [...into.pitchExact, value];
  },
  implies: equal,
};

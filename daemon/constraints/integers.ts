/** The largest pitch, in bytes: DRM and the contract have 32 bits for it. */
export const PITCH_LIMIT = 0xffff_ffff;
/** The largest size or offset, in bytes: 64 bits. */
export const SIZE_LIMIT = 0xffff_ffff_ffff_ffffn;

export function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** Least common multiple of two positive integers below 2⁵³; Infinity when it is above `PITCH_LIMIT`, or one of them is. */
export function pitchLcm(a: number, b: number): number {
  if (a > PITCH_LIMIT || b > PITCH_LIMIT) return Infinity;
  // Beyond 2⁵³ the product is inexact, but it is then beyond the limit too, which is all that is asked.
  const multiple = (a / gcd(a, b)) * b;
  return multiple > PITCH_LIMIT ? Infinity : multiple;
}

/** Least common multiple, exact at any size. */
export function lcm(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return (a / x) * b;
}

/** The smallest multiple of `step` that is not below `value`; exact while both are below 2⁵². */
export const alignUp = (value: number, step: number): number => Math.ceil(value / step) * step;

export const alignUpBig = (value: bigint, step: bigint): bigint => ((value + step - 1n) / step) * step;

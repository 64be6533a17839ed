/** The largest pitch, in bytes: DRM and the contract have 32 bits for it. */
export const MAX_PITCH_BYTES = 0xffff_ffff;
/** The largest size or offset, in bytes: 64 bits. */
export const MAX_SIZE_BYTES = 0xffff_ffff_ffff_ffffn;

export function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** Least common multiple of two positive integers below 2⁵³; Infinity when it is above `MAX_PITCH_BYTES`, or one of them is. */
export function pitchLcm(a: number, b: number): number {
  if (a > MAX_PITCH_BYTES || b > MAX_PITCH_BYTES) return Infinity;
  // Beyond 2⁵³ the product is inexact, but it is then beyond the limit too, which is all that is asked.
  const multiple = (a / gcd(a, b)) * b;
  return multiple > MAX_PITCH_BYTES ? Infinity : multiple;
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

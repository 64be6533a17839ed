/** The largest pitch, in bytes: DRM and the contract have 32 bits for it. */
export const MAX_PITCH_BYTES = 0xffff_ffff;
/** The most pixels that so many bytes can hold: eight to a byte. */
const MAX_ROW_PIXELS = 8 * MAX_PITCH_BYTES;
/** The largest offset of a plane, in bytes: ADDFB2 and linux-dmabuf have 32 bits for it (`drm_mode_fb_cmd2`, `add`). */
export const MAX_OFFSET_BYTES = 0xffff_ffffn;
/** The largest size, in bytes: what `off_t` holds, and so `lseek` and `mmap` of a dma-buf. */
export const MAX_SIZE_BYTES = 0x7fff_ffff_ffff_ffffn;

export function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** Least common multiple of two positive integers below 2⁵³; Infinity when it is above `MAX_PITCH_BYTES`, or one of them is. */
export const pitchLcm = (a: number, b: number): number => boundedLcm(a, b, MAX_PITCH_BYTES);

/** The same of pixels; Infinity when no row of so many pixels has a pitch. */
export const pixelLcm = (a: number, b: number): number => boundedLcm(a, b, MAX_ROW_PIXELS);

function boundedLcm(a: number, b: number, most: number): number {
  if (a > most || b > most) return Infinity;
  // Beyond 2⁵³ the product is inexact, but it is then beyond the limit too, which is all that is asked.
  const multiple = (a / gcd(a, b)) * b;
  return multiple > most ? Infinity : multiple;
}

export const gcdBig = (a: bigint, b: bigint): bigint => {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
};

/** Least common multiple, exact at any size. */
export const lcm = (a: bigint, b: bigint): bigint => (a / gcdBig(a, b)) * b;

/** The smallest multiple of `step` that is not below `value`; exact while both are below 2⁵². */
export const alignUp = (value: number, step: number): number => Math.ceil(value / step) * step;

export const alignUpBig = (value: bigint, step: bigint): bigint => ((value + step - 1n) / step) * step;

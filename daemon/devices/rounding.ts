/**
 * Sizes to ask for: pixels in multiples of 128, and how many more of the coarsest plane's samples, so that each step
 * rounds them differently.
 */
export const ASKED_SIZES: readonly {
  readonly width: number;
  readonly height: number;
  readonly more: number;
}[] = [
  { width: 640, height: 384, more: 1 },
  { width: 1024, height: 512, more: 3 },
  { width: 2048, height: 640, more: 5 },
];

/** Steps are powers of two, of bytes or of groups of pixels, and a larger one is none that hardware has. */
export const MAX_STEP = 4096;

/** Steps that may have been rounded up to: none at all, then the largest first. */
export const STEPS: readonly number[] = [
  1,
  ...Array.from({ length: Math.log2(MAX_STEP) }, (_, i) => MAX_STEP / 2 ** i),
];

export const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

/**
 * The step that explains what became of values: 1 where they stayed as they were, else the largest that rounds each of
 * them up to what it became. Undefined where none does, and where they all became the same.
 * @param unit bytes that pixels take together: a step can be a power of two of these, too (NV15: four pixels in 5 bytes)
 */
export function stepBetween(
  values: readonly number[],
  rounded: readonly number[],
  unit = 1,
): number | undefined {
  if (new Set(rounded).size < 2) return undefined;
  const explains = (step: number): boolean => values.every((value, i) => roundUp(value, step) === rounded[i]);
  return STEPS.find(explains) ?? STEPS.map((step) => step * unit).find(explains);
}

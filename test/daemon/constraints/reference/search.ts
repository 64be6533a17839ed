/** Whether a number is one that a plane, an offset or a size may be. */
export type Fits = (candidate: bigint) => boolean;

/** Finds the smallest number from `from` on that every multiple divides and that fits; undefined when there is none. */
export type Search = (from: bigint, multiples: readonly bigint[], fits: Fits) => bigint | undefined;

/**
 * Tries one number after the other, `horizon` of them: for problems whose answers are known to be small.
 */
export function everyNumber(horizon: number): Search {
  return (from, multiples, fits) => {
    for (let candidate = from; candidate < from + BigInt(horizon); candidate += 1n) {
      if (multiples.every((multiple) => candidate % multiple === 0n) && fits(candidate)) {
        return candidate;
      }
    }
    return undefined;
  };
}

/**
 * Tries the common multiples only, in numbers without bounds: for problems too large to count through. The ratio
 * between two planes of a format has a denominator below 16, so a linked pitch that fits at all is among the first 16.
 */
export const commonMultiples: Search = (from, multiples, fits) => {
  const step = multiples.reduce(leastCommonMultiple, 1n);
  const first = ((from + step - 1n) / step) * step;
  for (let turn = 0n; turn < 16n; turn += 1n) {
    const candidate = first + turn * step;
    if (fits(candidate)) {
      return candidate;
    }
  }
  return undefined;
};

function leastCommonMultiple(a: bigint, b: bigint): bigint {
  let [divisor, rest] = [a, b];
  while (rest !== 0n) {
    [divisor, rest] = [rest, divisor % rest];
  }
  return (a / divisor) * b;
}

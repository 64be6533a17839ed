import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { roundUp, stepBetween, ASKED_SIZES } from '../../../daemon/devices/rounding.js';

const step = fc.integer({ min: 0, max: 12 }).map((exponent) => 2 ** exponent);

describe('stepBetween', () => {
  it('finds the step that the wishes were rounded by, of pixels of any size', () => {
    fc.assert(
      fc.property(step, fc.constantFrom(1, 2, 3, 4, 8), (truth, bytes) => {
        const rows = ASKED_SIZES.map(({ width, more }) => (width + more) * bytes);
        const rounded = rows.map((row) => roundUp(row, truth));
        const found = stepBetween(rows, rounded);
        // A step that makes all of them the same is no rounding that can be seen.
        if (new Set(rounded).size < 2) {
          expect(found).toBeUndefined();
          return;
        }
        for (const [i, row] of rows.entries()) expect(roundUp(row, found ?? NaN)).toBe(rounded[i]);
        // Neither is one that divides every row.
        const shows = rows.some((row) => row % truth !== 0);
        expect(shows ? Number(found) >= truth : found === 1).toBe(true);
      }),
    );
  });

  it('knows none where nothing explains what became of them, or all became the same', () => {
    expect(stepBetween([100, 200, 300], [128, 256, 383])).toBeUndefined();
    expect(stepBetween([100, 200, 300], [4096, 4096, 4096])).toBeUndefined();
    expect(stepBetween([100, 200, 300], [100, 199, 300])).toBeUndefined();
  });
});

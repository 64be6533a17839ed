import fc from 'fast-check';
import type { SizeContext } from '../../../daemon/policy/policy.js';
import type { SizeExpression } from '../../../daemon/policy/size-expression.js';

/** Any size that the syntax can say. */
export const sizeExpressions: fc.Arbitrary<SizeExpression> = fc.letrec<{
  term: SizeExpression;
  size: SizeExpression;
}>((tie) => {
  const bytes = fc
    .bigInt({ min: 0n, max: 2n ** 64n - 1n })
    .map((bytes): SizeExpression => ({ kind: 'bytes', bytes }));
  const share = fc
    .record({ of: fc.constantFrom('ram' as const, 'heap' as const), millionths: fc.bigInt(0n, 200_000_000n) })
    .map(({ of, millionths }): SizeExpression => ({ kind: 'share', of, millionths }));
  const frames = fc.bigInt(0n, 1000n).map((count): SizeExpression => ({ kind: 'frames', count }));
  const choice = fc
    .record({
      kind: fc.constantFrom('min' as const, 'max' as const),
      terms: fc.array(tie('size'), { minLength: 1, maxLength: 4 }),
    })
    .map(({ kind, terms }): SizeExpression => ({ kind, terms }));
  const sum = fc
    .array(tie('term'), { minLength: 2, maxLength: 4 })
    .map((terms): SizeExpression => ({ kind: 'sum', terms }));
  return {
    term: fc.oneof({ maxDepth: 3 }, bytes, share, frames, choice),
    size: fc.oneof({ maxDepth: 3 }, tie('term'), sum),
  };
}).size;

export const sizeContexts: fc.Arbitrary<SizeContext> = fc.record(
  {
    ram: fc.bigInt(0n, 2n ** 48n),
    heap: fc.bigInt(0n, 2n ** 40n),
    frame: fc.record({
      width: fc.integer({ min: 1, max: 16384 }),
      height: fc.integer({ min: 1, max: 16384 }),
    }),
  },
  { requiredKeys: ['ram', 'frame'] },
);

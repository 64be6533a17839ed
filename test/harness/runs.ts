/**
 * How many examples a property is tried on.
 * @param all in an ordinary run; where the same tests run a thousand times over (`npm run test:mutation`), PROPERTY_SHARE
 * is the part of them that does
 */
export const runs = (all: number): { readonly numRuns: number } => ({
  numRuns: Math.ceil(all * Number(process.env['PROPERTY_SHARE'] ?? 1)),
});

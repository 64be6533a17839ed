import type { Limits } from '../limits.js';
import type { ConstraintKind, ConstraintValues, Origin } from '../types.js';

/** One kind of constraint: how it merges with its like, and when one makes another superfluous. */
export interface Rule<K extends ConstraintKind> {
  /** Folds one value into what is merged so far. `memory` is the handle when it is a property of that memory. */
  merge(into: Limits, value: ConstraintValues[K], origin: Origin, memory: string | undefined): void;
  /** Whether everything that satisfies `a` satisfies `b`, both asked in the same way. */
  implies(a: ConstraintValues[K], b: ConstraintValues[K]): boolean;
  /** Whether a value asks for anything at all; absent when every value does. */
  asks?(value: ConstraintValues[K], origin: Origin, memory: string | undefined): boolean;
}

/** For kinds that no value of makes another superfluous. */
export const never = (): boolean => false;

export const isSubset = <T>(a: readonly T[], b: readonly T[]): boolean => {
  if (a.length > b.length) return false;
  const all = new Set(b);
  return a.every((item) => all.has(item));
};

/** What stands in both lists, in the order of the first; the second alone while there is no first. */
export function intersect<T>(merged: readonly T[] | undefined, list: readonly T[]): readonly T[] {
  if (merged === undefined) return list;
  // Short lists are the rule, and there scanning beats building a set.
  if (list.length <= 16) return merged.filter((item) => list.includes(item));
  const allowed = new Set(list);
  return merged.filter((item) => allowed.has(item));
}

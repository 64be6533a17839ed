import type { Limits } from '../limits.js';
import type { Constraint, ConstraintKind, ConstraintValues, Origin } from '../constraint-types.js';

/** What narrows a constraint down. */
export type Refinement = Pick<Constraint, 'above' | 'rows'>;

/** One kind of constraint: how it merges with its like, and when one makes another superfluous. */
export interface Rule<K extends ConstraintKind> {
  /** Folds one value into what is merged so far. `memory` is the handle when it is a property of that memory. */
  merge(
    into: Limits,
    value: ConstraintValues[K],
    origin: Origin,
    memory: string | undefined,
    refinement: Refinement,
  ): void;
  /** Whether everything that satisfies `a` satisfies `b`, both asked in the same way. */
  implies(a: ConstraintValues[K], b: ConstraintValues[K]): boolean;
  /** Whether a value asks for anything at all; absent when every value does. */
  asks?(value: ConstraintValues[K], origin: Origin, memory: string | undefined): boolean;
  /** Set where a smaller number leaves less room; elsewhere a larger one does. */
  readonly smallerIsNarrower?: true;
}

/** For kinds that no value of makes another superfluous. */
export const never = (): boolean => false;

export const equal = <T>(a: T, b: T): boolean => a === b;

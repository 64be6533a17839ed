import type {
  Constraint,
  ConstraintKind,
  ConstraintValues,
} from '../../../../daemon/constraints/constraint-types.js';

type OfKind<K extends ConstraintKind> = Constraint & {
  readonly kind: K;
  readonly value: ConstraintValues[K];
};

/** The constraints of one kind that are asked of every memory, or that are properties of the memory named. */
export function ofKind<K extends ConstraintKind>(
  constraints: readonly Constraint[],
  kind: K,
  memory?: string,
): readonly OfKind<K>[] {
  return constraints.filter((c): c is OfKind<K> => c.kind === kind && c.memory === memory);
}

/** What those constraints say. */
export function said<K extends ConstraintKind>(
  constraints: readonly Constraint[],
  kind: K,
  memory?: string,
): readonly ConstraintValues[K][] {
  return ofKind(constraints, kind, memory).map((c) => c.value);
}

import type { Limits } from '../limits.js';
import type { Constraint, ConstraintKind, ConstraintValues, Origin } from '../types.js';
import { addressBits } from './address-bits.js';
import { bufferCount } from './buffer-count.js';
import { contiguous } from './contiguous.js';
import { formats } from './formats.js';
import { heightMultiple } from './height-multiple.js';
import { maxHeight } from './max-height.js';
import { maxWidth } from './max-width.js';
import { minBuffers } from './min-buffers.js';
import { modifiers } from './modifiers.js';
import { offsetMultiple } from './offset-multiple.js';
import { pitchExact } from './pitch-exact.js';
import { pitchLinked } from './pitch-linked.js';
import { pitchMax } from './pitch-max.js';
import { pitchMin } from './pitch-min.js';
import { pitchMultiple } from './pitch-multiple.js';
import { protectedMemory } from './protected.js';
import { reach } from './reach.js';
import type { Rule } from './rule.js';
import { sizeMultiple } from './size-multiple.js';

/** Kinds that the request's own content is named by in a conflict; they are given and merge with nothing. */
export type ContentKind = 'width' | 'height' | 'size';

type Rules = { readonly [K in Exclude<ConstraintKind, ContentKind>]: Rule<K> };

const rules: Rules = {
  formats,
  modifiers,
  'pitch-multiple': pitchMultiple,
  'pitch-exact': pitchExact,
  'pitch-linked': pitchLinked,
  'pitch-min': pitchMin,
  'pitch-max': pitchMax,
  'offset-multiple': offsetMultiple,
  'height-multiple': heightMultiple,
  'size-multiple': sizeMultiple,
  'max-width': maxWidth,
  'max-height': maxHeight,
  contiguous,
  protected: protectedMemory,
  'address-bits': addressBits,
  reach,
  'min-buffers': minBuffers,
  total: bufferCount,
  count: bufferCount,
};

/** A constraint of a kind that merges. */
interface Typed<K extends keyof Rules> {
  readonly kind: K;
  readonly value: ConstraintValues[K];
  readonly origin: Origin;
  readonly memory?: string;
}

const isContent = (kind: ConstraintKind): kind is ContentKind =>
  kind === 'width' || kind === 'height' || kind === 'size';

const merges = (constraint: Constraint): constraint is Exclude<Constraint, { kind: ContentKind }> =>
  !isContent(constraint.kind);

const mergeTyped = <K extends keyof Rules>(into: Limits, { kind, value, origin, memory }: Typed<K>): void => {
  const rule: Rule<K> = rules[kind];
  rule.merge(into, value, origin, memory);
};

const asksTyped = <K extends keyof Rules>({ kind, value, origin, memory }: Typed<K>): boolean => {
  const rule: Rule<K> = rules[kind];
  return rule.asks?.(value, origin, memory) ?? true;
};

const impliesTyped = <K extends keyof Rules>(
  kind: K,
  a: ConstraintValues[K],
  b: ConstraintValues[K],
): boolean => {
  const rule: Rule<K> = rules[kind];
  return rule.implies(a, b);
};

/** Folds a constraint into what is merged so far. */
export function merge(into: Limits, constraint: Constraint): void {
  if (merges(constraint)) mergeTyped(into, constraint);
}

/** Whether a constraint limits anything (`contiguous: false` of a client does not). */
export const asks = (constraint: Constraint): boolean => merges(constraint) && asksTyped(constraint);

/** Whether `b` says nothing that `a` does not say already. */
export const implies = (a: Constraint, b: Constraint): boolean =>
  a.kind === b.kind && a.memory === b.memory && merges(a) && impliesTyped(a.kind, a.value, b.value as never);

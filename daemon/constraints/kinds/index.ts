import type { Limits } from '../limits.js';
import type { Constraint, ConstraintKind, ConstraintValues, Origin } from '../constraint-types.js';
import {
  addressBits,
  bufferCount,
  countMin,
  maxHeight,
  maxWidth,
  minBuffers,
  pitchMax,
  pitchMin,
  sizeExtra,
  sizeMin,
  spareBuffers,
} from './bounds.js';
import { contiguous, pitchLinked, planesApart, planesContiguous, protectedMemory } from './flags.js';
import {
  heightMultiple,
  offsetMultiple,
  pitchExact,
  pitchMultiple,
  sizeMultiple,
  widthMultiple,
} from './multiples.js';
import type { Refinement, Rule } from './rule.js';
import { formats, modifiers, reach } from './sets.js';

/** Kinds that the request's own content is named by in a conflict; they are given and merge with nothing. */
export type ContentKind = 'width' | 'height' | 'size';

type Rules = { readonly [K in Exclude<ConstraintKind, ContentKind>]: Rule<K> };

/** One rule for each limit of the table (`dbus/limits.ts`), and for what the request and the machine say besides. */
const rules: Rules = {
  'pitch-multiple': pitchMultiple,
  'width-multiple': widthMultiple,
  'pitch-exact': pitchExact,
  'pitch-linked': pitchLinked,
  'pitch-min': pitchMin,
  'pitch-max': pitchMax,
  'offset-multiple': offsetMultiple,
  'planes-contiguous': planesContiguous,
  'planes-apart': planesApart,
  'height-multiple': heightMultiple,
  'size-multiple': sizeMultiple,
  'size-min': sizeMin,
  'size-extra': sizeExtra,
  'max-width': maxWidth,
  'max-height': maxHeight,
  contiguous,
  protected: protectedMemory,
  'address-bits': addressBits,
  'min-buffers': minBuffers,
  formats,
  modifiers,
  reach,
  total: bufferCount,
  count: bufferCount,
  spare: spareBuffers,
  'count-min': countMin,
  'count-max': bufferCount,
  'max-buffers': bufferCount,
};

/** A constraint of a kind that merges. */
interface Typed<K extends keyof Rules> extends Refinement {
  readonly kind: K;
  readonly value: ConstraintValues[K];
  readonly origin: Origin;
  readonly memory?: string;
}

const isContent = (kind: ConstraintKind): kind is ContentKind =>
  kind === 'width' || kind === 'height' || kind === 'size';

const merges = (constraint: Constraint): constraint is Exclude<Constraint, { kind: ContentKind }> =>
  !isContent(constraint.kind);

const mergeTyped = <K extends keyof Rules>(into: Limits, constraint: Typed<K>): void => {
  const { kind, value, origin, memory } = constraint;
  const rule: Rule<K> = rules[kind];
  rule.merge(into, value, origin, memory, constraint);
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
  a.kind === b.kind &&
  a.memory === b.memory &&
  merges(a) &&
  impliesTyped(a.kind, a.value, b.value as never) &&
  (a.above ?? 0) <= (b.above ?? 0) &&
  (a.rows ?? 1) === (b.rows ?? 1);

/** How much a constraint narrows, to look at the narrowest first; only an order, nothing is decided by it. */
export function narrowness({ kind, value }: Constraint): number {
  if (typeof value === 'object') return -value.length;
  const isMaximum = !isContent(kind) && rules[kind].smallerIsNarrower === true;
  return isMaximum ? -Number(value) : Number(value);
}

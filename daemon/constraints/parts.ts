import { layoutBytes, layoutImage, type Geometry } from './layout.js';
import type { Limits } from './limits.js';
import { memoryServes } from './memory.js';
import type { Constraint, ConstraintKind, Problem } from './types.js';

/**
 * A decision falls into parts that share no constraint: how many buffers, which memory with which modifier, and where
 * the planes lie. A problem can be solved exactly when each part can, so that a conflict lies within one of them.
 */
export interface Part {
  readonly kinds: ReadonlySet<ConstraintKind>;
  holds(problem: Problem, limits: Limits): boolean;
}

export const geometryOf = (content: Problem['content'], limits: Limits): Geometry =>
  'format' in content ? layoutImage(content, limits) : layoutBytes(content.size, limits);

const number: Part = {
  kinds: new Set(['min-buffers', 'total', 'count']),
  holds: (_problem, limits) => limits.minBuffers <= limits.maxBuffers,
};

const memory: Part = {
  kinds: new Set(['formats', 'modifiers', 'contiguous', 'protected', 'address-bits', 'reach']),
  holds: ({ content, memories }, limits) =>
    memories.some((candidate) => memoryServes(candidate, 'format' in content, limits)),
};

const geometry: Part = {
  kinds: new Set([
    'pitch-multiple',
    'pitch-exact',
    'pitch-linked',
    'pitch-min',
    'pitch-max',
    'offset-multiple',
    'height-multiple',
    'size-multiple',
    'max-width',
    'max-height',
  ]),
  holds: ({ content }, limits) => !('failed' in geometryOf(content, limits)),
};

export const PARTS: readonly Part[] = [number, memory, geometry];

/** How much a constraint narrows, to look at the narrowest first; only an order, nothing is decided by it. */
export function narrowness({ kind, value }: Constraint): number {
  if (typeof value === 'object') return -value.length;
  const amount = Number(value);
  return kind.startsWith('max-') || kind === 'pitch-max' || kind === 'address-bits' ? -amount : amount;
}

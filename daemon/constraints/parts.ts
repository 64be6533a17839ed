import { ALL_LIMITS, limitRow } from '../../dbus/limits.js';
import { layoutBytes, layoutImage, type Geometry } from './layout.js';
import type { Limits } from './limits.js';
import { memoryServes } from './memory.js';
import type { ConstraintKind, Problem } from './types.js';

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

/** The limits that the table gives to one part. */
const limitsOf = (part: ReturnType<typeof limitRow>['part']): readonly ConstraintKind[] =>
  ALL_LIMITS.filter((limit) => limitRow(limit).part === part);

const number: Part = {
  kinds: new Set([...limitsOf('count'), 'total', 'count']),
  holds: (_problem, limits) => limits.minBuffers <= limits.maxBuffers,
};

const memory: Part = {
  kinds: new Set([...limitsOf('memory'), 'formats', 'modifiers', 'reach']),
  holds: ({ content, memories }, limits) =>
    memories.some((candidate) => memoryServes(candidate, 'format' in content, limits)),
};

const geometry: Part = {
  kinds: new Set(limitsOf('layout')),
  holds: ({ content }, limits) => !('failed' in geometryOf(content, limits)),
};

export const PARTS: readonly Part[] = [number, memory, geometry];

import { BrokerError } from '../../dbus/errors.js';
import { LIMITS } from '../../dbus/names.js';
import type { Constraint } from '../constraints/types.js';
import type { NewRequest } from './types.js';

/** How many buffers this call makes, and what the request says of the whole set. */
export interface BufferCount {
  readonly count: number;
  /** Absent when the request says nothing: then the set is as large as it must be. */
  readonly constraint?: Constraint;
}

const REQUEST = { entry: -1, device: '', source: 'request' } as const;

/**
 * @param constraints of all participants; their `min-buffers` add up
 * @throws {BrokerError} TooManyBuffers when that is more than fit in one call, and the request gives no number itself
 */
export function countBuffers(
  { count, total }: Pick<NewRequest, 'count' | 'total'>,
  constraints: readonly Constraint[],
): BufferCount {
  if (total !== undefined) {
    const constraint = { kind: 'total', value: total, origin: REQUEST } as const;
    return { count: count ?? Math.min(total, LIMITS.buffersPerCall), constraint };
  }
  if (count !== undefined) return { count, constraint: { kind: 'count', value: count, origin: REQUEST } };
  const held = constraints.reduce((sum, { kind, value }) => sum + (kind === 'min-buffers' ? value : 0), 0);
  if (held > LIMITS.buffersPerCall) {
    throw new BrokerError(
      'TooManyBuffers',
      `The participants hold ${held} buffers at once, and one call gives at most ${LIMITS.buffersPerCall}: ` +
        `ask with total ${held}, and for the rest with extends.`,
    );
  }
  return { count: Math.max(held, 1) };
}

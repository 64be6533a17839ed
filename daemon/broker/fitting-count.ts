import { BrokerError } from '../../dbus/errors.js';
import { LIMITS } from '../../dbus/names.js';
import type { Layout } from '../constraints/constraint-types.js';
import type { NewRequest } from './broker-types.js';

/** Descriptors of one buffer. */
export const fdsPerBuffer = ({ fdSizes }: Pick<Layout, 'fdSizes'>): number => fdSizes?.length ?? 1;

/**
 * How many buffers a call makes, so that their descriptors fit into its reply: fewer where the request leaves it open.
 * @throws {BrokerError} TooManyBuffers where it does not
 */
export function fittingCount(
  { count, total, perReply = LIMITS.buffersPerCall }: Pick<NewRequest, 'count' | 'total' | 'perReply'>,
  wanted: number,
  layout: Pick<Layout, 'fdSizes'>,
): number {
  const each = fdsPerBuffer(layout);
  const most = Math.floor(perReply / each);
  if (wanted <= most) return wanted;
  if (count === undefined && total !== undefined) return most;
  throw new BrokerError(
    'TooManyBuffers',
    `${wanted} buffers of ${each} descriptors each were requested, and at most ${most} of them fit in one call; ` +
      'allocate the rest with further calls (total, extends).',
  );
}

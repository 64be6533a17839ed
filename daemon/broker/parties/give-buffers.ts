import { BrokerError } from '../../../dbus/errors.js';
import { LIMITS } from '../../../dbus/names.js';
import type { Ledger } from '../../ledger/ledger.js';
import { copies } from '../buffer-source.js';
import { fdsPerBuffer } from '../fitting-count.js';
import type { PartyBuffers } from './party-types.js';
import type { PartyRecord } from './running.js';

/**
 * The present buffers for a party, as many as fit into a reply.
 * @param first index of the first that is wanted
 * @throws {BrokerError} Unavailable, or Abandoned when their owner has released them
 */
export function giveBuffers(
  { running, number }: PartyRecord,
  first: number,
  ledger: Pick<Ledger, 'delivered'>,
): PartyBuffers {
  const { generation, collection } = running;
  if (generation === undefined || collection.state(number) !== 'ready')
    throw new BrokerError('Unavailable', 'The buffers were replaced meanwhile; ask again.');
  const { allocation, layout, buffers } = generation;
  if (allocation.state !== 'held')
    throw new BrokerError('Abandoned', 'The party that began has released the buffers.');
  const fdsEach = fdsPerBuffer(layout);
  const most = Math.floor(LIMITS.buffersPerCall / fdsEach);
  const wanted = buffers.slice(first * fdsEach, (first + most) * fdsEach);
  return {
    layout,
    generation: collection.generation,
    fds: copies(wanted),
    delivered: () => {
      const news = wanted.filter((buffer) => allocation.undelivered.has(buffer));
      if (news.length > 0) ledger.delivered(allocation, news);
    },
  };
}

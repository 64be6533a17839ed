import { BrokerError } from '../../dbus/errors.js';
import { closeAll, type OwnedFd } from '../../dbus/owned-fd.js';
import type { PoolBuffer } from '../pools/pool.js';

/**
 * Descriptors of the buffers for their client; the caller's. The broker keeps its own.
 * @throws {BrokerError} Unavailable when the daemon has no descriptor left
 */
export function copies(buffers: readonly PoolBuffer[]): readonly OwnedFd[] {
  const made: OwnedFd[] = [];
  try {
    for (const { fd } of buffers) made.push(fd.dup());
    return made;
  } catch (cause) {
    closeAll(made);
    throw new BrokerError('Unavailable', 'The service has no file descriptor left; try again later.', {
      cause,
    });
  }
}

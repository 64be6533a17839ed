import type { Reply, WireValue } from '../../dbus/connection/bus-types.js';
import type { OwnedFd } from '../../dbus/owned-fd.js';
import { DmabrokerError } from '../errors.js';
import { asList } from '../wire/fields.js';

/**
 * The descriptors of a reply in the order of its `ah`, each once; they stay the reply's.
 * @throws {DmabrokerError} InvalidReply when it names others than came
 */
export function fdsInOrder(indexes: WireValue | undefined, { fds }: Pick<Reply, 'fds'>): readonly OwnedFd[] {
  const order = asList(indexes, 'fds');
  const inOrder = order.flatMap((index) => (typeof index === 'number' ? (fds[index] ?? []) : []));
  if (new Set(inOrder).size !== order.length || inOrder.length !== fds.length)
    throw new DmabrokerError('InvalidReply', `the daemon sent ${fds.length} fds and named ${order.length}`);
  return inOrder;
}

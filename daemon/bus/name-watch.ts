import type { Bus, IncomingSignal, WireValue } from '../../dbus/connection/bus-types.js';
import type { Broker, Owner } from '../broker/broker-types.js';
import { isList } from '../../dbus/wire-read.js';

const DRIVER = 'org.freedesktop.DBus';
const DRIVER_PATH = '/org/freedesktop/DBus';

/** One rule for all clients, because a bus allows 512 rules: whatever has no owner any more. */
const NAME_LOST_RULE = `type='signal',sender='${DRIVER}',path='${DRIVER_PATH}',interface='${DRIVER}',member='NameOwnerChanged',arg2=''`;

/** Tells of every connection that leaves the bus. @throws {BusCallError | BusTimeoutError | BusClosedError} */
export async function watchNames(bus: Bus, left: (uniqueName: string) => void): Promise<AsyncDisposable> {
  return bus.listen(NAME_LOST_RULE, isNameLost, ({ body: [name] }) => {
    if (typeof name === 'string') left(name);
  });
}

/** A well-known name that loses its owner is not a connection that left. */
function isNameLost({ sender, interface: name, member, signature, body }: IncomingSignal): boolean {
  if (sender !== DRIVER || name !== DRIVER || member !== 'NameOwnerChanged' || signature !== 'sss')
    return false;
  const [subject, , newOwner] = body;
  return newOwner === '' && typeof subject === 'string' && subject.startsWith(':');
}

/**
 * Tells the broker of owners that left before we listened: while the daemon was down, or with a bus that is no more.
 * @throws {BusCallError | BusTimeoutError | BusClosedError}
 */
export async function releaseAbsentOwners(bus: Bus, broker: Broker): Promise<void> {
  const owners = new Map(
    broker.allocations().map(({ owner }): [string, Owner] => [`${owner.bus} ${owner.name}`, owner]),
  );
  if (owners.size === 0) return;
  const { body } = await bus.call({
    destination: DRIVER,
    path: DRIVER_PATH,
    interface: DRIVER,
    member: 'ListNames',
  });
  const present = new Set(names(body));
  for (const owner of owners.values())
    if (owner.bus !== bus.id || !present.has(owner.name)) broker.ownerLeft(owner.bus, owner.name);
}

/** The strings of an `as`. */
const names = ([list]: readonly WireValue[]): readonly WireValue[] => (isList(list) ? list : []);

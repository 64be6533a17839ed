import type { Bus } from '../../dbus/connection/types.js';
import type { Broker, Owner } from '../broker/types.js';
import type { Log } from '../messages/log.js';
import { NOBODY_ELSE } from './access.js';
import { Announcer } from './announcer.js';
import { followBroker } from './broker-events.js';
import { Credentials } from './credentials.js';
import { Dispatcher } from './dispatcher.js';
import { EVERYBODY, Logind } from './logind.js';
import { Nodes } from './nodes.js';
import { allocationObject, deviceObject, ObjectTree, poolObject, RootObject } from './objects.js';
import { Polkit } from './polkit.js';
import { settleAbsent, watchLeaving } from './presence.js';
import { Refusals } from './refusals.js';
import { Sight, type Viewer } from './sight.js';
import { brokerValues } from './views.js';
import { Watchers } from './watchers.js';

/** Which bus the daemon was told to use; polkit is asked on the system bus alone. */
export type BusKind = 'system' | 'session' | 'address';

export interface ServeOptions {
  /** Version of the daemon (`package.json`). */
  readonly version: string;
  readonly logger: Log;
  /** Put before every path that is read (`--root`); empty for the machine itself. */
  readonly root: string;
  readonly busKind: BusKind;
}

export interface Server {
  /** Answers every further call with `Unavailable`, waits for those under way, and stops listening. */
  close(): Promise<void>;
}

/**
 * Puts the broker on the bus: from now on calls are answered, changes are announced, and a client that leaves is told
 * to the broker. Ask for the bus name after this.
 * @throws {BusCallError | BusTimeoutError | BusClosedError} the connection is of no use then
 */
export async function serve(bus: Bus, broker: Broker, options: ServeOptions): Promise<Server> {
  const { logger, root, version, busKind } = options;
  const clock = (): number => performance.now();
  const ending = new AbortController();
  const authority = busKind === 'system' ? new Polkit(bus, logger, ending.signal) : NOBODY_ELSE;
  const credentials = new Credentials(bus, root);
  const watchers = new Watchers();
  const sight = new Sight(authority);

  const rootObject = new RootObject(() => brokerValues(version, broker.totals()));
  const objects = new ObjectTree(rootObject);
  const announcer = new Announcer({
    bus,
    objects,
    logger,
    receivers: ({ owner: { bus: its, name, uid } }) => {
      const told = watchers.of(uid);
      // A name of another bus, one that is gone, may be anybody's on this.
      return its === bus.id && credentials.has(name) ? new Set([name, ...told]) : told;
    },
  });
  broker.listen(followBroker(objects, rootObject, announcer));
  broker.consult(busKind === 'session' ? EVERYBODY : new Logind(bus, logger, clock));
  for (const view of broker.devices()) objects.put(deviceObject(view));
  for (const view of broker.pools()) objects.put(poolObject(view));
  for (const view of broker.allocations()) objects.put(allocationObject(view));

  const isThere = (name: string): boolean => credentials.has(name);
  const listing = {
    widened: async (caller: Owner): Promise<Viewer> => {
      await sight.ask(caller, isThere);
      return sight.of(caller);
    },
    listed: ({ name }: Owner, viewer: Viewer): void => {
      if (isThere(name)) watchers.add(name, viewer);
      announcer.listed();
    },
  };
  const refusals = new Refusals(logger, clock);
  const nodes = new Nodes({ broker, objects, authority, listing, root });
  const dispatcher = new Dispatcher(nodes, credentials, sight, refusals);
  const leaving = await watchLeaving(bus, (name) => {
    credentials.forget(name);
    sight.forget(name);
    refusals.forget(name);
    watchers.remove(name);
    broker.ownerLeft(bus.id, name);
  });
  await settleAbsent(bus, broker);
  bus.handleCalls((call) => {
    dispatcher.handle(call);
  });
  return {
    close: async () => {
      ending.abort();
      await dispatcher.close();
      refusals.close();
      announcer.close();
      await leaving[Symbol.asyncDispose]();
    },
  };
}
